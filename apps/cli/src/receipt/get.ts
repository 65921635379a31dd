/** Makes the receipt of one transaction and prints it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type BuiltReceipt, buildReceipt, LedgerError } from "@sealane/ledger";
import { base64, formatTxId, type Seqno, seqno, type TxId } from "@sealane/wire";
import { CliError } from "../cli-error.js";
import { nativeSuite } from "../inputs.js";
import type { Io } from "../io.js";
import { openDirectory } from "../ledger/directory.js";
import { readLedgerSecrets } from "../ledger/secrets.js";
import { CLAIMS_BYTES_MAX, readBytes } from "./read-bytes.js";

export interface GetReceiptFlags {
  readonly cose?: boolean;
  readonly secrets?: string;
  readonly claims?: string;
  readonly committed?: boolean;
  readonly serviceCert?: string;
  readonly timeout: number;
}

/** @throws {CliError} that says what is missing. */
export async function getReceipt(io: Io, directory: string, txId: TxId, flags: GetReceiptFlags): Promise<void> {
  const source = await openDirectory(directory);
  const secrets = flags.secrets === undefined ? undefined : await readLedgerSecrets(flags.secrets);
  const claims = flags.claims === undefined ? undefined : await readBytes(flags.claims, "the claims", CLAIMS_BYTES_MAX);
  const committed = flags.committed === true ? txId.seqno : await committedByNode(directory);
  const receipt = await build(source, txId, {
    suite: nativeSuite,
    ...(secrets && { secrets }),
    ...(claims && { claims }),
    ...(committed !== undefined && { committed }),
  });
  if (flags.cose !== true) await io.printLine(JSON.stringify(receipt.json));
  else if (receipt.cose !== undefined) await io.printLine(base64(receipt.cose));
  else throw new CliError(`transaction ${formatTxId(txId)} has no receipt in COSE: leave --cose out`);
}

async function build(...args: Parameters<typeof buildReceipt>): Promise<BuiltReceipt> {
  try {
    return await buildReceipt(...args);
  } catch (cause) {
    const hint = cause instanceof LedgerError ? HINTS[cause.code] : undefined;
    if (hint === undefined || !(cause instanceof LedgerError)) throw cause;
    throw new CliError(`${cause.message}: ${hint}`, { cause });
  }
}

const HINTS: Readonly<Record<string, string>> = {
  "not-committed": "give --committed if the service has acknowledged it",
  "not-signed": "try again a little later",
  "no-secret": "give them with --secrets",
  "bad-tag": "it was changed, or these are not its ledger secrets",
};

/** A node notes in its data directory up to where it knows the service to have committed. @returns undefined in any other directory. */
async function committedByNode(directory: string): Promise<Seqno | undefined> {
  try {
    const state: unknown = JSON.parse(await readFile(join(directory, "state.json"), "utf8"));
    const noted: unknown = Reflect.get(Object(state), "commitSeqno");
    return typeof noted === "number" && Number.isSafeInteger(noted) && noted > 0 ? seqno(noted) : undefined;
  } catch {
    return undefined; // not a node's data directory
  }
}
