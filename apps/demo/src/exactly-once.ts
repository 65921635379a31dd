/** Whether every acknowledged line stands in the ledger exactly once, at the transaction the client was told. */
import { isDeepStrictEqual } from "node:util";
import { nativeSuite } from "@sealane/crypto/native";
import { decodeEntry, LedgerSecrets } from "@sealane/ledger";
import { fromUtf8 } from "@sealane/wire";
import type { Acknowledged } from "./append.js";
import type { LedgerBytes } from "./ledger-bytes.js";
import type { DemoSecret } from "./secrets.js";

/** The private map of the records application. */
const RECORDS_MAP = "records";

export interface OnceFindings {
  readonly records: number;
  readonly signatures: number;
  readonly problems: readonly string[];
}

/** @param last - The last committed seqno; nothing beyond it counts. */
export function checkExactlyOnce(
  ledger: LedgerBytes,
  last: number,
  secrets: readonly DemoSecret[],
  acknowledged: readonly Acknowledged[],
): OnceFindings {
  const problems: string[] = [];
  const ledgerSecrets = new LedgerSecrets(secrets);
  const found = new Map<string, { readonly txId: string; readonly text: string }[]>();
  let signatures = 0;
  for (let seqno = 1; seqno <= last; seqno++) {
    const bytes = ledger.entry(seqno);
    if (bytes === undefined) {
      problems.push(`The ledger ends at ${seqno - 1}, before the committed ${last}.`);
      break;
    }
    const entry = decodeEntry(nativeSuite, ledgerSecrets, bytes);
    if (entry.isSignature) signatures += 1;
    const records = entry.privateMaps?.find((map) => map.name === RECORDS_MAP);
    for (const [key, value] of records?.writes ?? []) {
      const name = fromUtf8(key);
      const writes = found.get(name) ?? [];
      writes.push({ txId: `${entry.view}.${entry.seqno}`, text: fromUtf8(value) });
      found.set(name, writes);
    }
    if ((records?.removes.length ?? 0) > 0) problems.push(`Entry ${seqno} removes records; nobody asked for that.`);
  }
  for (const { line, txId } of acknowledged) {
    const writes = found.get(line.key) ?? [];
    const [write] = writes;
    if (writes.length !== 1 || write === undefined)
      problems.push(`${line.key} stands ${writes.length} times in the ledger.`);
    else if (write.txId !== txId) problems.push(`${line.key} was answered with ${txId} but stands at ${write.txId}.`);
    else if (!isDeepStrictEqual(JSON.parse(write.text), JSON.parse(line.text)))
      problems.push(`${line.key} stands with another value.`);
  }
  const known = new Set(acknowledged.map(({ line }) => line.key));
  for (const key of found.keys())
    if (!known.has(key)) problems.push(`${key} stands in the ledger but was never acknowledged.`);
  return { records: found.size, signatures, problems };
}
