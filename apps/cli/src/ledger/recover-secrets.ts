/** Recovers the ledger secrets and writes them to a file of its own. Prints how many there are, and never one of them. */
import { open } from "node:fs/promises";
import { pemDecode } from "@sealane/crypto";
import { nativeKeyWrapping } from "@sealane/crypto/native";
import { LedgerError, type RecoveredSecrets, readRecovery, recoverSecrets } from "@sealane/ledger";
import { hex } from "@sealane/wire";
import { CliError, errorCode } from "../cli-error.js";
import { nativeSuite, readText } from "../inputs.js";
import type { Io } from "../io.js";
import { openDirectory } from "./directory.js";

export interface RecoverFlags {
  readonly encryptionKey: readonly string[];
  readonly out: string;
}

/** @throws {CliError} that says what is missing; no file was written then. */
export async function recover(io: Io, directory: string, { encryptionKey, out }: RecoverFlags): Promise<void> {
  const records = await readRecovery(await openDirectory(directory), nativeSuite);
  const encrypted = [...records.shares.encryptedShares.values()];
  const shares: Uint8Array[] = [];
  for (const path of new Set(encryptionKey)) shares.push(await shareOf(path, encrypted));
  let recovered: RecoveredSecrets;
  try {
    recovered = recoverSecrets(nativeSuite, records, shares);
  } catch (cause) {
    if (!(cause instanceof LedgerError) || cause.code !== "bad-share") throw cause;
    throw new CliError(`${cause.message}: give --encryption-key of more members`, { cause });
  } finally {
    for (const share of shares) nativeSuite.wipe(share);
  }
  const { secrets, openFrom } = recovered;
  await writeSecrets(out, JSON.stringify(secrets.map(({ from, key }) => ({ from_seqno: from, key: hex(key) }))));
  const what = secrets.length === 1 ? "1 ledger secret" : `${secrets.length} ledger secrets`;
  await io.printLine(`${what} written to ${out}, readable by you alone: whoever has it can read the ledger`);
  if (openFrom !== undefined) {
    io.warnLine(
      `entries before ${openFrom} stay closed: their secrets' records are not in this directory but in its archive`,
    );
  }
}

async function shareOf(path: string, encrypted: readonly Uint8Array[]): Promise<Uint8Array> {
  const key = await readEncryptionKey(path);
  try {
    for (const share of encrypted) {
      const opened = nativeKeyWrapping.unwrap(key, share);
      if (opened !== undefined) return opened;
    }
  } catch (cause) {
    throw new CliError(`"${path}" is no private encryption key: expected RSA`, { cause });
  } finally {
    nativeSuite.wipe(key);
  }
  throw new CliError(`"${path}" opens no share of this ledger: it is the key of no member with one`);
}

async function readEncryptionKey(path: string): Promise<Uint8Array> {
  const pem = await readText(path, "a private encryption key");
  try {
    return pemDecode("PRIVATE KEY", pem);
  } catch (cause) {
    throw new CliError(`"${path}" is no private encryption key: expected one PEM block "PRIVATE KEY"`, { cause });
  }
}

async function writeSecrets(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(`${text}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (errorCode(cause) !== "EEXIST") throw cause;
    throw new CliError(`"${path}" is there already: choose another file with --out`, { cause });
  }
}
