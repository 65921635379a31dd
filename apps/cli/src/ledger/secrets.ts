/** The ledger secrets a file holds, ready to decrypt with. */
import { LedgerSecrets } from "@sealane/ledger";
import { seqno } from "@sealane/wire";
import { CliError } from "../cli-error.js";
import { readSecrets } from "../inputs.js";

/** @throws {CliError} when the file cannot be read or holds no secrets. */
export async function readLedgerSecrets(path: string): Promise<LedgerSecrets> {
  const secrets = await readSecrets(path);
  try {
    return new LedgerSecrets(secrets.map(({ from, key }) => ({ from: seqno(from), key })));
  } catch (cause) {
    if (cause instanceof RangeError) throw new CliError(`"${path}": ${cause.message}`, { cause });
    throw cause;
  }
}
