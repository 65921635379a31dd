import { concatBytes, hex, seqno, utf8 } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { secrets, serviceSigner, suite, V2 } from "../../test/fixture.js";
import { receiptWorld } from "../../test/receipts.js";
import { takeSnapshot } from "../../test/state.js";
import { buildReceipt } from "../build-receipt.js";
import { memorySource } from "../ledger-source.js";
import { snapshotEvidence } from "../snapshot/snapshot-evidence.js";
import { type FiguresOptions, type FiguresResult, ledgerFigures } from "./ledger-figures.js";
import type { TransactionFigures } from "./transaction-figures.js";

const world = receiptWorld();
const { ledger, node, service } = world;
/** A snapshot of entry 9, and its evidence in entry 10, signed by 11. */
const leaf = ledger.leaf(seqno(9));
const snapshot = takeSnapshot(ledger);
const entry = snapshot.bytes;
const other = takeSnapshot(ledger, []).bytes;
ledger.append({ view: V2, ...snapshotEvidence(snapshot) });
ledger.appendSignature({ view: V2, ...node, service: serviceSigner(service) });

function source() {
  const bytes = ledger.range(seqno(1), ledger.lastSeqno) ?? [];
  return memorySource(new Map([["ledger_1", concatBytes(new Uint8Array(8), ...bytes)]]));
}

async function figuresOf(options: Partial<FiguresOptions> = {}, of = source()) {
  const lines = ledgerFigures(of, { suite, secrets, ...options });
  const transactions: TransactionFigures[] = [];
  let step: IteratorResult<TransactionFigures, FiguresResult> = await lines.next();
  for (; step.done !== true; step = await lines.next()) transactions.push(step.value);
  return { transactions, result: step.value };
}

test("the figures of a ledger of ours", async () => {
  const { transactions, result } = await figuresOf();
  if (!result.ok) throw new Error(result.message);
  expect(transactions.map((one) => one.seqno)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(transactions[1]).toMatchObject({ private_tables: ["records"], public_tables: 0, file: "ledger_1" });
  expect(transactions[1]?.commit_evidence).toMatch(/^ce:2\.2:/);
  expect(result.figures).toMatchObject({
    transactions: 11,
    committed_transactions: 0,
    entry_types: { 4: 11 },
    transactions_with_private_writes: 6,
    views: [{ view: 2, first_seqno: 1 }],
    signatures: 3,
    cose_signatures: 3,
    last_verified: "2.11",
    root_after_all: hex(ledger.root()),
    distinct_private_tables: ["records"],
    private_state_entries: 6,
    service_identities: 1,
    snapshots: [],
  });
  expect(result.figures.files).toMatchObject([{ name: "ledger_1", last_seqno: 11, complete: false, committed: false }]);
});

test("without secrets: null for what only they tell", async () => {
  const { transactions, result } = await figuresOf({ secrets: undefined as never });
  if (!result.ok) throw new Error(result.message);
  expect(transactions[1]).toMatchObject({ private_tables: null, private_plain_sha256: null, commit_evidence: null });
  expect(result.figures).toMatchObject({ private_state_digest: null, transactions_with_private_writes: 6 });
});

test("of a damaged ledger: the transactions before, and the place", async () => {
  const [file] = await source().files();
  const bytes = (await file?.read(0, file.size))?.slice() ?? new Uint8Array();
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  const { transactions, result } = await figuresOf({}, memorySource(new Map([["ledger_1", bytes]])));
  expect(transactions.length).toBe(10);
  expect(result).toMatchObject({ ok: false, at: { seqno: 11, file: "ledger_1" } });
});

describe("snapshots", async () => {
  const committed = { suite, secrets, committed: seqno(11) };
  const { json } = await buildReceipt(source(), { view: V2, seqno: seqno(10) }, committed);
  const receipt = utf8(JSON.stringify(json));
  const withSnapshot = (bytes: Uint8Array, name = "snapshot_9_10.committed") =>
    figuresOf({ snapshots: memorySource(new Map([[name, bytes]])) }).then(({ result }) => result);

  test("hold by their receipt", async () => {
    const result = await withSnapshot(concatBytes(entry, receipt));
    if (!result.ok) throw new Error(result.message);
    expect(result.figures.snapshots).toMatchObject([
      { seqno: 9, evidence_seqno: 10, entry_size: entry.length, public_tables: 6, hash_at_snapshot: hex(leaf) },
    ]);
  });

  test("provisional ones are passed over", async () => {
    expect(await withSnapshot(entry, "snapshot_9_10")).toMatchObject({ ok: true, figures: { snapshots: [] } });
  });

  test.each([
    ["without a receipt", entry, undefined],
    [
      "with the receipt of another transaction",
      concatBytes(entry, utf8(JSON.stringify(world.receipt(3).json))),
      undefined,
    ],
    ["under another seqno", concatBytes(entry, receipt), "snapshot_8_10.committed"],
    ["with another evidence seqno", concatBytes(entry, receipt), "snapshot_9_11.committed"],
    ["changed", concatBytes(other, receipt), undefined],
  ])("%s they are refused", async (_, bytes, name) => {
    const result = await withSnapshot(bytes, name);
    expect(result).toMatchObject({ ok: false, code: "bad-snapshot", at: { file: name ?? "snapshot_9_10.committed" } });
  });
});
