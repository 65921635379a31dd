/** Checks a whole ledger and says what was found. */
import { parseCertificate, pemDecode, spkiHash } from "@sealane/crypto";
import { type LedgerRefused, type LedgerVerified, verifyLedger } from "@sealane/ledger";
import { snapshotDirectory } from "@sealane/ledger/files";
import { formatTxId, hex } from "@sealane/wire";
import { CliError } from "../cli-error.js";
import { nativeSuite, readCertificate } from "../inputs.js";
import type { Io } from "../io.js";
import { openDirectory, snapshotsOf } from "./directory.js";
import { readLedgerSecrets } from "./secrets.js";

export interface VerifyOptions {
  readonly secrets?: string;
  readonly serviceCert?: string;
  readonly json?: boolean;
}

/** @throws {CliError} that names the first bad entry. */
export async function verify(io: Io, directory: string, { secrets, serviceCert, json }: VerifyOptions): Promise<void> {
  const source = await openDirectory(directory);
  const keys = secrets === undefined ? undefined : await readLedgerSecrets(secrets);
  const service =
    serviceCert === undefined ? undefined : await readCertificate(nativeSuite, serviceCert, "the service certificate");
  const snapshots = await snapshotsOf(directory);
  const result = await verifyLedger(source, {
    suite: nativeSuite,
    ...(keys && { secrets: keys }),
    ...(service && { serviceCertificate: service.pem }),
    ...(snapshots !== undefined && { snapshots: snapshotDirectory(snapshots) }),
  });
  if (json === true) await io.printLine(JSON.stringify(resultJson(result)));
  if (!result.ok) throw new CliError(refusal(result));
  if (json !== true) for (const line of resultLines(result)) await io.printLine(line);
}

function resultJson(result: LedgerVerified | LedgerRefused): object {
  if (!result.ok) return result;
  const { lastSigned, root, ...rest } = result;
  return {
    ...rest,
    root: hex(root),
    lastSigned: lastSigned === undefined ? null : formatTxId(lastSigned),
    serviceId: serviceIdOf(result) ?? null,
  };
}

function resultLines(result: LedgerVerified): string[] {
  const { entries, signatures, lastSigned, unsigned, snapshots } = result;
  return [
    `ledger ok: ${entries} entries, ${signatures} signatures${snapshots === 0 ? "" : `, ${snapshots} ${snapshots === 1 ? "snapshot" : "snapshots"}`}`,
    ...startLines(result),
    lastSigned === undefined
      ? "nothing is signed yet"
      : `signed up to ${formatTxId(lastSigned)}, ${unsigned} entries behind it`,
    `service: ${serviceIdOf(result) ?? "unknown"}`,
  ];
}

/** Where a ledger starts, and what that means, unless it is whole. */
function startLines({ firstSeqno, base }: LedgerVerified): string[] {
  if (base === undefined) return [];
  const vouched = firstSeqno > base.seqno ? "" : `; entries ${firstSeqno} to ${base.seqno} are held to its tree`;
  return [
    `starts with entry ${firstSeqno}: those before it are not here, and were not checked`,
    `what they came to is in ${base.file}, which the service has signed${vouched}`,
  ];
}

/** The first bad entry, in words. */
export function refusal({ at, code, message }: LedgerRefused): string {
  if (at.file.startsWith("snapshot_")) return `${at.file} is bad: ${code}: ${message}`;
  const where = at.file === "" ? "the directory" : `entry ${at.seqno} (${at.file}, offset ${at.offset})`;
  return `${where} is bad: ${code}: ${message}`;
}

/** SHA-256 of the key of the service that signed last, to compare with what is known of it. */
function serviceIdOf({ serviceCertificate }: LedgerVerified): string | undefined {
  if (serviceCertificate === undefined) return undefined;
  const { publicKey } = parseCertificate(nativeSuite, pemDecode("CERTIFICATE", serviceCertificate));
  return spkiHash(nativeSuite, publicKey.spki);
}
