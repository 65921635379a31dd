/** Checks a whole ledger and says what was found. */
import { parseCertificate, pemDecode, spkiHash } from "@sealane/crypto";
import { type LedgerRefused, type LedgerVerified, verifyLedger } from "@sealane/ledger";
import { formatTxId, hex } from "@sealane/wire";
import { CliError } from "../cli-error.js";
import { nativeSuite, readCertificate } from "../inputs.js";
import type { Io } from "../io.js";
import { openDirectory } from "./directory.js";
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
  const result = await verifyLedger(source, {
    suite: nativeSuite,
    ...(keys && { secrets: keys }),
    ...(service && { serviceCertificate: service.pem }),
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
  const { entries, signatures, lastSigned, unsigned } = result;
  return [
    `ledger ok: ${entries} entries, ${signatures} signatures`,
    lastSigned === undefined
      ? "nothing is signed yet"
      : `signed up to ${formatTxId(lastSigned)}, ${unsigned} entries behind it`,
    `service: ${serviceIdOf(result) ?? "unknown"}`,
  ];
}

/** The first bad entry, in words. */
export function refusal({ at, code, message }: LedgerRefused): string {
  const where = at.file === "" ? "the directory" : `entry ${at.seqno} (${at.file}, offset ${at.offset})`;
  return `${where} is bad: ${code}: ${message}`;
}

/** SHA-256 of the key of the service that signed last, to compare with what is known of it. */
function serviceIdOf({ serviceCertificate }: LedgerVerified): string | undefined {
  if (serviceCertificate === undefined) return undefined;
  const { publicKey } = parseCertificate(nativeSuite, pemDecode("CERTIFICATE", serviceCertificate));
  return spkiHash(nativeSuite, publicKey.spki);
}
