/** What appending an entry costs beyond the crypto calls it is made of: serialising, checks, Merkle tree, slabs, the collector. In turns. */
import { createCipheriv, createHmac, createSecretKey, hash, randomBytes } from "node:crypto";
import { formatTxId, seqno, utf8 } from "@sealane/wire";
import { collectGarbage } from "../measure/collect.js";
import { startCpu } from "../measure/cpu.js";
import { type Measure, type Section, type Verdict, verdict } from "../measure/report.js";
import { Rounds } from "../measure/rounds.js";
import { ENTRY_BYTES, KEYS, newLedger, newSecrets, sizeName, VIEW, writeSets } from "./entries.js";

/** Above what the crypto calls may cost. */
const GOAL = 1.3;
/** Entries between commits, as under load. */
const COMMIT_EVERY = 500;
/** Little, so that memory is given back all the time as in a node that has run for long. */
const RETAIN_BYTES = 4 * 1024 * 1024;

export interface AppendEffort {
  readonly rounds: number;
  /** Bytes of values in each turn, up to `entriesMax`. */
  readonly bytes: number;
  readonly entriesMax: number;
}

export async function benchAppend({ rounds, bytes, entriesMax }: AppendEffort): Promise<Section> {
  const measures: Measure[] = [];
  const verdicts: Verdict[] = [];
  for (const size of ENTRY_BYTES) {
    const count = Math.min(entriesMax, Math.ceil(bytes / size));
    const work = { sealane: appender(size), "its crypto calls": cryptoCalls(size) };
    const result = await Rounds.run(["sealane", "its crypto calls"], rounds, async (name) => {
      collectGarbage();
      return work[name](count);
    });
    const what = `append an entry of ${sizeName(size)}`;
    for (const contestant of result.names) {
      measures.push({ what, contestant, unit: "CPU us", value: result.spread(contestant) });
    }
    verdicts.push(verdict("append", what, "its crypto calls", result.ratio("sealane", "its crypto calls"), GOAL));
  }
  return {
    title: "Appending to a ledger",
    measures,
    verdicts,
    remarks: [
      "Its crypto calls: AES-256-GCM, HMAC, and SHA-256 of evidence, entry, leaf and tree node, from node:crypto.",
    ],
  };
}

/** @returns CPU µs for each of `count` entries. */
type Work = (count: number) => number;

function appender(valueBytes: number): Work {
  const ledger = newLedger(newSecrets(), RETAIN_BYTES);
  const writeSet = writeSets(valueBytes);
  return (count) => {
    const spent = startCpu();
    for (let index = 0; index < count; index++) {
      ledger.append({ view: VIEW, writeSet: writeSet(index) });
      if (index % COMMIT_EVERY === 0) ledger.compact(ledger.lastSeqno);
    }
    return spent() / count;
  };
}

/** The same calls on memory of the same lengths, in the shortest form `node:crypto` has for each. */
function cryptoCalls(valueBytes: number): Work {
  const writeSet = writeSets(valueBytes);
  const entry = newLedger(newSecrets(), RETAIN_BYTES)
    .append({ view: VIEW, writeSet: writeSet(0) })
    .bytes.slice();
  const publicBytes = Number(new DataView(entry.buffer).getBigUint64(36, true));
  const publicDomain = entry.subarray(44, 44 + publicBytes);
  const privateDomains = Array.from({ length: KEYS }, () => randomBytes(entry.length - 44 - publicBytes)); // as cold as ours
  const [key, commitSecret, iv] = [createSecretKey(randomBytes(32)), randomBytes(32), randomBytes(12)];
  const txId = formatTxId({ view: VIEW, seqno: seqno(100_000) });
  const evidence = utf8(`ce:${txId}:${"0".repeat(64)}`);
  const [leaf, node] = [randomBytes(96), randomBytes(64)];
  return (count) => {
    const spent = startCpu();
    for (let index = 0; index < count; index++) {
      const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: 16 });
      cipher.setAAD(publicDomain);
      cipher.update(privateDomains[index % KEYS] ?? entry);
      cipher.final();
      cipher.getAuthTag();
      createHmac("sha256", commitSecret).update(txId).digest();
      for (const hashed of [evidence, entry, leaf, node]) hash("sha256", hashed, "buffer");
    }
    return spent() / count;
  };
}
