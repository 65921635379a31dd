/** A snapshot of ours, taken, proven, refused in all its wrong forms, and gone on from (ledger spec §10.3). */
import { pemEncode } from "@sealane/crypto";
import { concatBytes, equalBytes, fromUtf8, seqno, utf8, view } from "@sealane/wire";
import { beforeAll, describe, expect, test } from "vitest";
import {
  codeOf,
  createLedger,
  createService,
  decode,
  fill,
  node,
  put,
  secrets,
  servicePem,
  sign,
  signBoth,
  suite,
  V2,
} from "../../test/fixture.js";
import { entriesOf, flip, type ProvenSnapshot, proveSnapshot, stateOf, takeSnapshot } from "../../test/state.js";
import { receiptOf } from "../build-receipt.js";
import { LedgerError } from "../errors.js";
import { FLAG_CHUNK_ENDS_AFTER } from "../limits.js";
import { decodeSnapshot } from "./decode-snapshot.js";
import { isEvidenceOf, SNAPSHOT_EVIDENCE_TABLE, snapshotEvidence } from "./snapshot-evidence.js";
import { verifySnapshot } from "./verify-snapshot.js";

const options = { suite, secrets, serviceCertificates: [servicePem] };
const V3 = view(3);

/** Two views; signatures at 5 (with both forms), 9, and 12, where the snapshot is taken. */
function world() {
  const ledger = createLedger();
  fill(ledger, 3);
  signBoth(ledger);
  for (let index = 0; index < 3; index++) ledger.append({ view: V3, writeSet: put(`late ${index}`, "value") });
  sign(ledger, node, V3);
  ledger.compact(ledger.lastSeqno);
  return ledger;
}

const ledger = world();
let proven: ProvenSnapshot;
beforeAll(() => {
  proven = proveSnapshot(ledger);
});

test("a snapshot verifies, and says what to go on from", async () => {
  const { snapshot, base, evidence, receipt } = await verifySnapshot(proven.file, options);
  expect(evidence).toEqual({ view: 3, seqno: snapshot.seqno + 1 });
  expect(base).toMatchObject({ seqno: snapshot.seqno, view: 3, viewHistory: [1, 1, 7] });
  expect(receipt.nodeId).toBe(node.nodeId);
  expect(isEvidenceOf(decode(proven.evidence).publicMaps, snapshot)).toBe(true);
  expect(isEvidenceOf(decode(proven.evidence).publicMaps, { ...snapshot, seqno: seqno(3) })).toBe(false);
  expect(isEvidenceOf(decode(proven.signature).publicMaps, snapshot)).toBe(false);
  expect(
    isEvidenceOf([{ name: SNAPSHOT_EVIDENCE_TABLE, writes: [[utf8("k"), utf8("{")]], removes: [] }], snapshot),
  ).toBe(false);
});

describe("a ledger that goes on from it", () => {
  test("is the ledger it was taken of, entry by entry", async () => {
    const { base } = await verifySnapshot(proven.file, options);
    const other = createLedger({ base });
    expect([other.lastSeqno, other.lastView, other.firstSeqno, other.committedSeqno]).toEqual([
      base.seqno,
      3,
      base.seqno + 1,
      base.seqno,
    ]);
    expect(other.leaf(base.seqno)).toEqual(ledger.leaf(base.seqno));
    for (const entry of [proven.evidence, proven.signature]) other.appendReplicated(decode(entry));
    expect(other.root()).toEqual(ledger.root());
    expect(other.viewHistory(other.lastSeqno)).toEqual(ledger.viewHistory(ledger.lastSeqno));
    // It can be taken back to the snapshot, and no further; what it writes then is in a later view.
    other.rollback(base.seqno);
    expect([other.lastSeqno, other.lastView]).toEqual([base.seqno, 3]);
    expect(() => other.rollback(seqno(base.seqno - 1))).toThrow(RangeError);
    expect(() => other.append({ view: V3, writeSet: put("k", "v") })).toThrow(RangeError);
    for (const entry of [proven.evidence, proven.signature]) other.appendReplicated(decode(entry));
    other.compact(other.lastSeqno);
    const signed = sign(other, node, view(5));
    ledger.appendReplicated(decode(signed));
    expect(other.root()).toEqual(ledger.root());
    expect(other.range(base.seqno, other.lastSeqno)).toBeUndefined();
    ledger.rollback(proven.signature.seqno);
  });

  test("counts chunks from there", async () => {
    const { base } = await verifySnapshot(proven.file, options);
    const other = createLedger({ base, chunkBytes: 2_000 });
    const first = other.append({ view: V3, writeSet: put("k", "x".repeat(900)) });
    expect(sign(other, node, V3).flags).toBe(0);
    other.rollback(first.seqno);
    const second = other.append({ view: view(4), writeSet: put("k", "x".repeat(1_200)) });
    expect(second.seqno).toBe(first.seqno + 1);
    expect(sign(other, node, view(4)).flags).toBe(FLAG_CHUNK_ENDS_AFTER);
  });

  test("refuses what does not follow the snapshot", async () => {
    const { base } = await verifySnapshot(proven.file, options);
    const wrongLeaf = createLedger({ base: { ...base, leaf: new Uint8Array(32) } });
    wrongLeaf.appendReplicated(decode(proven.evidence));
    expect(codeOf(() => wrongLeaf.appendReplicated(decode(proven.signature)))).toBe("root-mismatch");
    expect(codeOf(() => createLedger({ base: { ...base, seqno: seqno(3) } }))).toBe("bad-tree");
    const [first] = entriesOf(ledger);
    const other = createLedger({ base });
    expect(codeOf(() => other.appendReplicated(decode({ bytes: first ?? new Uint8Array() })))).toBe("bad-seqno");
  });
});

test("a chunk ends where a snapshot is to be taken", () => {
  const other = createLedger();
  fill(other, 1);
  expect(other.appendSignature({ view: V2, ...node, endsChunk: true }).flags).toBe(FLAG_CHUNK_ENDS_AFTER);
});

describe("refused", () => {
  const refusal = async (file: Uint8Array, change: Partial<Parameters<typeof verifySnapshot>[1]> = {}) => {
    await expect(verifySnapshot(file, { ...options, ...change })).rejects.toMatchObject({ code: "bad-snapshot" });
  };

  test("without a receipt, or with one that is cut or changed", async () => {
    await refusal(proven.bytes);
    for (let length = proven.bytes.length; length < proven.file.length; length += 7) {
      await refusal(proven.file.subarray(0, length));
    }
    const receipt = fromUtf8(proven.receipt);
    await refusal(concatBytes(proven.bytes, utf8(`${receipt}{}`)));
    await refusal(concatBytes(proven.bytes, utf8(receipt.replace("proof", "poof"))));
  });

  test("with the receipt of another transaction", async () => {
    const [, second] = entriesOf(ledger);
    const fifth = entriesOf(ledger)[4] ?? new Uint8Array();
    const { json } = receiptOf(decode({ bytes: second ?? new Uint8Array() }), decode({ bytes: fifth }), {
      suite,
      secrets,
    });
    await refusal(concatBytes(proven.bytes, utf8(JSON.stringify(json))));
  });

  test("of another service, or of none", async () => {
    await refusal(proven.file, { serviceCertificates: [] });
    const other = pemEncode("CERTIFICATE", createService("another").certificate);
    await refusal(proven.file, { serviceCertificates: [other] });
    await expect(
      verifySnapshot(proven.file, { ...options, serviceCertificates: [other, servicePem] }),
    ).resolves.toBeDefined();
  });

  test("whose state no ledger can go on from, although the service proved it", async () => {
    const wrong = (edit: (maps: ReturnType<typeof stateOf>) => ReturnType<typeof stateOf>) => {
      const copy = createLedger();
      for (const bytes of entriesOf(ledger, proven.seqno)) copy.appendReplicated(decode({ bytes }));
      const maps = stateOf(entriesOf(copy));
      return proveSnapshot(copy, takeSnapshot(copy, edit(maps))).file;
    };
    const without = (table: string) => wrong((maps) => maps.filter(({ name }) => name !== table));
    for (const table of ["public:ccf.internal.signatures", "public:ccf.internal.tree"]) {
      const refused = verifySnapshot(without(table), options);
      await expect(refused).rejects.toMatchObject({ code: "malformed-signature" });
    }
    // An older signature than the one at the snapshot's seqno.
    await refusal(
      wrong((maps) =>
        maps.map((map) =>
          map.name.startsWith("public:ccf.internal.")
            ? { ...map, entries: [...map.entries].map((one) => ({ ...one, writtenAt: 5 })) }
            : map,
        ),
      ),
    );
    await expect(
      verifySnapshot(
        wrong((maps) => maps),
        options,
      ),
    ).resolves.toBeDefined();
  });
});

test("every changed bit of a snapshot file is refused, with the secrets and without", async () => {
  const small = createLedger();
  fill(small, 3);
  const { file, bytes } = proveSnapshot(small);
  for (let bit = 0; bit < 8 * file.length; bit += bit < 8 * 300 ? 5 : 97) {
    for (const one of [options, { ...options, secrets: undefined }]) {
      const { secrets: keys, ...rest } = one;
      const refused = verifySnapshot(flip(file, bit), { ...rest, ...(keys && { secrets: keys }) });
      await expect(refused).rejects.toBeInstanceOf(LedgerError);
    }
  }
  expect(equalBytes(decodeSnapshot(suite, secrets, file).digest, suite.sha256(bytes))).toBe(true);
});

test("the evidence claims what it writes", () => {
  const { writeSet, claimsDigest } = snapshotEvidence(proven);
  expect(claimsDigest).toEqual(suite.sha256(proven.bytes));
  const json = fromUtf8(writeSet[0]?.writes[0]?.[1] ?? new Uint8Array());
  expect(JSON.parse(json)).toEqual({ hash: expect.stringMatching(/^[0-9a-f]{64}$/), version: proven.seqno });
});
