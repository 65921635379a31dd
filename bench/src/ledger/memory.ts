/** Whether the ledger's memory depends on how long it is: appended, signed now and then and compacted as a node does, with nothing kept. */
import { createServiceIdentity, endorse, pemEncode, spkiHash } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { parseNodeId } from "@sealane/wire";
import { collectGarbage } from "../measure/collect.js";
import { type Measure, type Section, verdict } from "../measure/report.js";
import { spreadOf } from "../measure/statistics.js";
import { newLedger, newSecrets, VIEW, writeSets } from "./entries.js";

const VALUE_BYTES = 100;
const ENTRIES_PER_COMMIT = 5_000;
/** Full well before the first measurement. */
const RETAIN_BYTES = 16 * 1024 * 1024;
const FIRST = 100_000;
/** What the last measurement may be above the first: the collector leaves no exact figures. */
const GOAL = 1.1;
const TIMES = { notBefore: new Date("2025-01-01"), notAfter: new Date("2045-01-01") };

/** @param last - Entries in the end; measured at 100,000 and at each tenfold. */
export async function benchMemory(last: number): Promise<Section> {
  const ledger = newLedger(newSecrets(), RETAIN_BYTES);
  const service = createServiceIdentity(suite, { name: "bench", ...TIMES });
  const keyPair = suite.generateKeyPair("P-384");
  const nodeId = parseNodeId(spkiHash(suite, keyPair.publicKey.spki));
  const options = { publicKey: keyPair.publicKey, name: nodeId, hosts: ["127.0.0.1"], ...TIMES };
  const certificatePem = pemEncode("CERTIFICATE", endorse(suite, service, options));
  const writeSet = writeSets(VALUE_BYTES);
  const measures: Measure[] = [];
  const held: number[] = [];
  for (let count = FIRST; count <= last; count *= 10) {
    while (ledger.lastSeqno < count) {
      const isSignature = (ledger.lastSeqno + 1) % ENTRIES_PER_COMMIT === 0;
      if (!isSignature) ledger.append({ view: VIEW, writeSet: writeSet(ledger.lastSeqno) });
      else ledger.compact(ledger.appendSignature({ view: VIEW, nodeId, keyPair, certificatePem }).seqno);
    }
    const bytes = await heldBytes();
    held.push(bytes);
    const what = `heap and external memory at ${count.toLocaleString("en")} entries`;
    measures.push({ what, contestant: "sealane", unit: "MB", value: spreadOf([bytes / 1e6]) });
  }
  const [first = 1] = held;
  const growth = spreadOf([(held.at(-1) ?? first) / first]);
  return {
    title: "Memory of a ledger",
    measures,
    verdicts: [
      verdict("memory", `${last.toLocaleString("en")} entries`, `${FIRST.toLocaleString("en")} entries`, growth, GOAL),
    ],
    remarks: [`${RETAIN_BYTES / 2 ** 20} MiB of it are committed entries kept for backups that lag.`],
  };
}

/** Twice, with a turn of the loop between: memory outside of the heap is given back after what held it. */
async function heldBytes(): Promise<number> {
  collectGarbage();
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
