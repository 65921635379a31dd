/** The ledger secrets of a stopped or running demo node, out of its private file. Only for judging a throw-away cluster. */
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromBase64, hex, type Seqno, seqno } from "@sealane/wire";
import { DemoError, sentence } from "./errors.js";

export interface DemoSecret {
  readonly from: Seqno;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

const PRIVATE_FILE = "node.private.json";
const KEY_BYTES = 32;

/** @throws {DemoError} when the file is missing or holds something else. */
export async function readSecrets(nodeDir: string): Promise<readonly DemoSecret[]> {
  const file = join(nodeDir, PRIVATE_FILE);
  try {
    const value: unknown = JSON.parse(await readFile(file, "utf8"));
    if (
      typeof value !== "object" ||
      value === null ||
      !("ledgerSecrets" in value) ||
      !Array.isArray(value.ledgerSecrets)
    ) {
      throw new DemoError("the field ledgerSecrets is missing");
    }
    // The array's items are unknown; `secretOf` checks each.
    return (value.ledgerSecrets as unknown[]).map(secretOf);
  } catch (error) {
    throw new DemoError(`${file} holds no ledger secrets: ${sentence(error)}`, { cause: error });
  }
}

/** Writes `[{"from_seqno":1,"key":"<hex>"}]` for an outside verifier; readable by its owner only. */
export async function exportSecrets(nodeDir: string, file: string): Promise<void> {
  const secrets = await readSecrets(nodeDir);
  const text = JSON.stringify(secrets.map(({ from, key }) => ({ from_seqno: from, key: hex(key) })));
  const handle = await open(file, "w", 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(`${text}\n`);
  } finally {
    await handle.close();
  }
}

function secretOf(item: unknown): DemoSecret {
  if (typeof item !== "object" || item === null || !("from" in item) || !("key" in item))
    throw new DemoError("a secret lacks from or key");
  const { from, key } = item;
  if (!Number.isSafeInteger(from) || typeof key !== "string")
    throw new DemoError("a secret has a field of the wrong kind");
  const bytes = fromBase64(key);
  if (bytes.length !== KEY_BYTES) throw new DemoError("a secret's key does not have 32 bytes");
  return { from: seqno(Number(from)), key: bytes };
}
