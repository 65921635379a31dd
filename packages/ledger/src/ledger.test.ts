import { concatBytes, equalBytes, hex, seqno, utf8, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import {
  at,
  codeOf,
  createLedger,
  createNode,
  createService,
  decode,
  fill,
  genesis,
  node,
  put,
  secrets,
  service,
  sign,
  suite,
  V2,
} from "../test/fixture.js";
import { slowRoot } from "../test/reference/slow-tree.js";
import { decodeEntry } from "./decode-entry.js";
import { encodeEntry } from "./encode-entry.js";
import type { Ledger } from "./ledger.js";
import { CHUNK_BYTES_DEFAULT, FLAG_CHUNK_ENDS_AFTER, FLAG_CHUNK_ENDS_BEFORE } from "./limits.js";
import { MerkleTree } from "./merkle-tree.js";
import { SIGNATURES_TABLE, type SignatureRecord, signatureWriteSet, TREE_TABLE } from "./signature-record.js";

/** Everything about a ledger that must not change when an entry is refused. */
function stateOf(ledger: Ledger): unknown {
  const bytes = ledger.range(ledger.firstSeqno, ledger.lastSeqno) ?? [];
  return [ledger.lastSeqno, ledger.lastView, hex(ledger.root()), hex(concatBytes(...bytes))];
}

function follower(entries: readonly { readonly bytes: Uint8Array }[]): Ledger {
  const ledger = createLedger();
  for (const entry of entries) ledger.appendReplicated(decode(entry));
  return ledger;
}

/** A signature entry at seqno 3 over genesis and one write, with one thing changed, sealed by someone who has the ledger secret. */
function forge(change: (good: SignatureRecord) => Partial<SignatureRecord>, viewOfEntry = V2) {
  const ledger = createLedger();
  fill(ledger, 1);
  const good = decode(sign(ledger)).signature;
  if (good === undefined) throw new Error("it is a signature");
  const writeSet = signatureWriteSet({ ...good, ...change(good) });
  return { bytes: encodeEntry(suite, secrets, { view: viewOfEntry, seqno: seqno(3), writeSet }) };
}

describe("a primary", () => {
  test("appends entries whose leaves make the tree, starting at seqno 1", () => {
    const ledger = createLedger();
    const entries = fill(ledger, 7);
    expect(entries.map((entry) => entry.seqno)).toEqual(entries.map((_, index) => index + 1));
    expect(ledger.root()).toEqual(slowRoot([new Uint8Array(32), ...entries.map(({ leaf }) => leaf)]));
    for (const entry of entries) {
      const decoded = decode(entry);
      expect([decoded.writeSetDigest, decoded.leaf]).toEqual([entry.digest, entry.leaf]);
      expect(entry.committable).toBe(decoded.isSignature);
    }
  });

  test("signs the root as digest: ECDSA-SHA256 over its two children (§7.2)", () => {
    const ledger = createLedger();
    fill(ledger, 1);
    const root = ledger.root();
    const { signature, publicMaps, privateMaps } = decode(sign(ledger));
    expect(publicMaps.map(({ name }) => name)).toEqual([SIGNATURES_TABLE, TREE_TABLE]);
    expect(privateMaps).toEqual([]);
    if (signature === undefined) throw new Error("it is a signature");
    expect(signature).toMatchObject({ node: node.nodeId, seqno: 3, view: 2, cert: node.certificatePem });
    expect(signature.root).toEqual(root);
    expect(MerkleTree.deserialise(suite, signature.tree).root()).toEqual(root);
  });

  test("cannot sign nothing, write the signature tables, or end a chunk after an ordinary entry", () => {
    const ledger = createLedger();
    const before = stateOf(ledger);
    expect(() => sign(ledger)).toThrow(RangeError);
    expect(codeOf(() => ledger.append({ view: V2, writeSet: put("k", "v", TREE_TABLE) }))).toBe("bad-map");
    expect(() => ledger.append({ view: V2, writeSet: put("k", "v"), flags: FLAG_CHUNK_ENDS_AFTER })).toThrow(
      RangeError,
    );
    expect(codeOf(() => ledger.append({ view: V2, writeSet: [] }))).toBe("bad-map");
    expect(stateOf(ledger)).toEqual(before);
  });

  test("never uses a nonce twice: after a rollback only a later view may write (§2.1)", () => {
    const ledger = createLedger();
    fill(ledger, 3);
    ledger.rollback(seqno(2));
    expect(() => ledger.append({ view: V2, writeSet: put("other", "value") })).toThrow(RangeError);
    expect(ledger.append({ view: view(3), writeSet: put("other", "value") }).seqno).toBe(3);
    expect(() => ledger.append({ view: V2, writeSet: put("older", "view") })).toThrow(RangeError);
  });
});

describe("a backup", () => {
  test("holds the same bytes, digests and root as its primary", () => {
    const primary = createLedger();
    const entries = fill(primary, 10);
    const backup = follower(entries);
    expect(stateOf(backup)).toEqual(stateOf(primary));
    expect(backup.digests(seqno(1), backup.lastSeqno)).toEqual(concatBytes(...entries.map(({ digest }) => digest)));
  });

  test("keeps its own copy: the buffer an entry came in may be used again", () => {
    const entry = at(fill(createLedger(), 1), 0);
    const backup = createLedger();
    const buffer = entry.bytes.slice();
    backup.appendReplicated(decodeEntry(suite, secrets, buffer));
    buffer.fill(0);
    expect(at(backup.range(seqno(1), seqno(1)) ?? [], 0)).toEqual(entry.bytes);
  });

  test("accepts a signature whose serialised tree reaches further back, or less far, than its own", () => {
    const primary = createLedger();
    const entries = fill(primary, 9);
    for (const commit of [0, 5, 9, 12]) {
      const backup = follower(entries);
      if (commit > 0) backup.compact(seqno(commit));
      const source = follower(entries);
      source.compact(seqno(9));
      backup.appendReplicated(decode(sign(source)));
      expect(backup.lastSeqno).toBe(14);
    }
  });

  test("takes an entry only behind the last one, in no lower view, and decrypted", () => {
    const entries = fill(createLedger(), 3);
    const backup = follower(entries.slice(0, 2));
    const before = stateOf(backup);
    expect(codeOf(() => backup.appendReplicated(decode(at(entries, 3))))).toBe("bad-seqno");
    expect(codeOf(() => backup.appendReplicated(decode(at(entries, 1))))).toBe("bad-seqno");
    const old = { bytes: encodeEntry(suite, secrets, { view: view(1), seqno: seqno(3), writeSet: put("k", "v") }) };
    expect(codeOf(() => backup.appendReplicated(decode(old)))).toBe("bad-view");
    expect(() => backup.appendReplicated(decodeEntry(suite, undefined, at(entries, 2).bytes))).toThrow(TypeError);
    expect(stateOf(backup)).toEqual(before);
  });

  const stranger = createNode(createService());
  const otherRoot = new Uint8Array(32).fill(1);
  const halfTree = (tree: Uint8Array) => tree.map((byte, index) => (index === 20 ? byte ^ 1 : byte));
  test.each([
    ["bad-seqno", "another seqno in the JSON", forge(() => ({ seqno: seqno(4) }))],
    ["bad-view", "another view in the JSON", forge(() => ({ view: view(3) }))],
    ["bad-view", "the JSON's view in another view", forge(() => ({}), view(4))],
    ["root-mismatch", "another root", forge(() => ({ root: otherRoot }))],
    ["bad-tree", "a tree with another leaf", forge(({ tree }) => ({ tree: halfTree(tree) }))],
    ["bad-tree", "a tree cut short", forge(({ tree }) => ({ tree: tree.subarray(0, -1) }))],
    ["bad-tree", "no tree", forge(() => ({ tree: new Uint8Array() }))],
    ["unknown-node", "a node without a certificate", forge(() => ({ node: stranger.nodeId }))],
    ["bad-certificate", "a certificate of another key", forge(() => ({ cert: stranger.certificatePem }))],
    ["bad-certificate", "a certificate that is none", forge(() => ({ cert: "-----BEGIN" }))],
    ["bad-signature", "a signature that is no DER", forge(({ sig }) => ({ sig: sig.subarray(1) }))],
    [
      "bad-signature",
      "another signature",
      forge(({ sig }) => ({ sig: sig.with(sig.length - 1, (sig.at(-1) ?? 0) ^ 1) })),
    ],
  ] as const)("refuses a signature with %s: %s, and nothing changes", (code, _title, entry) => {
    const backup = createLedger();
    fill(backup, 1);
    const before = stateOf(backup);
    expect(codeOf(() => backup.appendReplicated(decode(entry)))).toBe(code);
    expect(stateOf(backup)).toEqual(before);
  });

  test("refuses a signature when the node's id is not the hash of its key", () => {
    const backup = createLedger({ nodeCertificate: () => stranger.certificatePem });
    fill(backup, 1);
    expect(codeOf(() => backup.appendReplicated(decode(forge(() => ({})))))).toBe("bad-node-id");
  });

  test("refuses a signature over the digest of the root: hashing once more is the commonest mistake (§14.3)", () => {
    const ledger = createLedger();
    fill(ledger, 1);
    const { sig } = decode(sign(ledger)).signature ?? {};
    expect(sig).toBeDefined();
    ledger.rollback(seqno(2));
    const raw = suite.sign(node.keyPair.privateKey, ledger.root(), "SHA-256");
    const der = concatBytes(
      Uint8Array.of(0x30, 0x44, 2, 0x20),
      raw.subarray(0, 32),
      Uint8Array.of(2, 0x20),
      raw.subarray(32),
    );
    expect(codeOf(() => ledger.appendReplicated(decode(forge(() => ({ sig: der })))))).toBe("bad-signature");
  });
});

describe("a signature entry is malformed", () => {
  const good = decode(forge(() => ({}))).publicMaps;
  const json = new TextDecoder().decode(good[0]?.writes[0]?.[1]);
  const key = new Uint8Array(8);
  const withJson = (text: string) => [
    { name: SIGNATURES_TABLE, writes: [[key, utf8(text)] as const], removes: [] },
    at(good, 1),
  ];
  const encodeSet = (writeSet: typeof good) => ({
    bytes: encodeEntry(suite, secrets, { view: V2, seqno: seqno(3), writeSet }),
  });

  test.each([
    ["without the tree", good.slice(0, 1)],
    ["without the signature", good.slice(1)],
    ["with another table", [...good, ...put("k", "v", "public:z")]],
    ["with a private table", [...good, ...put("k", "v", "z")]],
    [
      "with a second key",
      [{ ...at(good, 0), writes: [...at(good, 0).writes, [utf8("~~~~~~~~~"), utf8("")] as const] }, at(good, 1)],
    ],
    [
      "with another key",
      [{ ...at(good, 0), writes: [[utf8("k"), at(at(good, 0).writes, 0)[1]] as const] }, at(good, 1)],
    ],
    ["with a space in its JSON", withJson(json.replace(",", ", "))],
    ["with an unknown field", withJson(json.replace("{", '{"a":1,'))],
    ["with a field twice", withJson(json.replace('"commit_view":0', '"commit_view":0,"commit_view":0'))],
    ["with a missing field", withJson(json.replace('"commit_view":0,', ""))],
    ["with a text for a number", withJson(json.replace('"seqno":3', '"seqno":"3"'))],
    ["with no JSON", withJson("null")],
    ["with broken JSON", withJson(json.slice(1))],
    ["with JSON over the bound", withJson(json + " ".repeat(70_000))],
  ] as const)("%s", (_title, writeSet) => {
    expect(codeOf(() => decode(encodeSet(writeSet)))).toBe("malformed-signature");
  });

  test("and well-formed when nothing was changed", () => {
    expect(codeOf(() => decode(encodeSet(withJson(json))))).toBe("no error");
  });
});

describe("memory", () => {
  test("entries lie back to back, and a range is one view of them", () => {
    const ledger = createLedger();
    const entries = fill(ledger, 5);
    const views = ledger.range(seqno(1), ledger.lastSeqno) ?? [];
    expect(views.length).toBe(1);
    expect(at(views, 0)).toEqual(concatBytes(...entries.map((entry) => entry.bytes)));
    expect(at(views, 0).buffer).toBe(at(entries, 0).bytes.buffer);
    expect(ledger.range(seqno(2), seqno(1))).toEqual([]);
    expect(ledger.range(seqno(0), seqno(1))).toBeUndefined();
    expect(ledger.range(seqno(1), seqno(99))).toBeUndefined();
  });

  test("bytes that were handed out never change, not even after a rollback", () => {
    const ledger = createLedger();
    const entries = fill(ledger, 3);
    const last = at(entries, -1);
    const copy = last.bytes.slice();
    ledger.rollback(seqno(2));
    for (let index = 0; index < 20; index++) ledger.append({ view: view(3), writeSet: put(`k${index}`, "other") });
    expect(equalBytes(last.bytes, copy)).toBe(true);
  });

  test("a rollback gives the ledger of before, which can go on with other entries", () => {
    const ledger = createLedger();
    fill(ledger, 7);
    const states = [stateOf(ledger)];
    const root = ledger.root();
    ledger.append({ view: view(3), writeSet: put("a", "b") });
    ledger.append({ view: view(4), writeSet: put("a", "c") });
    ledger.rollback(seqno(10));
    expect([stateOf(ledger)]).toEqual(states);
    expect(ledger.root()).toEqual(root);
    ledger.rollback(seqno(0));
    expect(stateOf(ledger)).toEqual(stateOf(createLedger()));
    expect(ledger.append({ view: view(5), writeSet: genesis() }).seqno).toBe(1);
  });

  test("committed entries leave memory beyond the bound, and can no longer be rolled back", () => {
    const ledger = createLedger({ retainBytes: 200_000 });
    ledger.append({ view: V2, writeSet: genesis() });
    const large = put("key", "x".repeat(60_000));
    for (let index = 0; index < 20; index++) ledger.append({ view: V2, writeSet: large });
    expect(ledger.firstSeqno).toBe(1);
    ledger.compact(seqno(20));
    expect(ledger.firstSeqno).toBeGreaterThan(10);
    expect(ledger.range(seqno(1), seqno(2))).toBeUndefined();
    expect(ledger.range(seqno(20), seqno(21))).toBeDefined();
    expect(() => ledger.rollback(seqno(19))).toThrow(RangeError);
    expect(() => ledger.compact(seqno(22))).toThrow(RangeError);
    ledger.rollback(seqno(20));
    expect(ledger.lastView).toBe(2);
    expect(sign(ledger, node, view(3)).seqno).toBe(21);
  });

  test("an entry longer than a slab gets one of its own", () => {
    const ledger = createLedger();
    const big = ledger.append({ view: V2, writeSet: put("key", "x".repeat(3_000_000)) });
    const small = ledger.append({ view: V2, writeSet: put("key", "y") });
    const views = ledger.range(seqno(1), seqno(2)) ?? [];
    expect(views.map((bytes, index) => equalBytes(bytes, [big, small][index]?.bytes ?? new Uint8Array()))).toEqual([
      true,
      true,
    ]);
  });
});

describe("chunks end", () => {
  const flagsOf = (ledger: Ledger, sizes: readonly number[]): number[] =>
    sizes.map((size) => {
      if (size > 0) ledger.append({ view: V2, writeSet: put("k", "x".repeat(size)) });
      return sign(ledger).flags;
    });

  test("at the first signature when the entries before it reached the size, which does not count itself (§1.3)", () => {
    const ledger = createLedger({ chunkBytes: 4_000 });
    expect(flagsOf(ledger, [3_500, 0, 10, 10])).toEqual([0, 1, 0, 0]);
  });

  test("never, with the default of 5 MiB, in a short ledger", () => {
    expect(flagsOf(createLedger(), [CHUNK_BYTES_DEFAULT / 100, 0])).toEqual([0, 0]);
  });

  test("where the flags say, on a backup that becomes primary, also after a rollback", () => {
    const primary = createLedger({ chunkBytes: 4_000 });
    flagsOf(primary, [4_100, 1_000, 1_000]);
    for (const cut of [6, 5, 4, 3, 2]) {
      const backup = createLedger({ chunkBytes: 4_000 });
      for (let next = 1; next <= 6; next++) {
        const [bytes] = primary.range(seqno(next), seqno(next)) ?? [];
        backup.appendReplicated(decodeEntry(suite, secrets, bytes ?? new Uint8Array()));
      }
      backup.rollback(seqno(cut));
      const again = createLedger({ chunkBytes: 4_000 });
      for (let next = 1; next <= cut; next++) {
        const [bytes] = primary.range(seqno(next), seqno(next)) ?? [];
        again.appendReplicated(decodeEntry(suite, secrets, bytes ?? new Uint8Array()));
      }
      const flags = (ledger: Ledger) =>
        [2_000, 2_000, 2_000, 2_000].map((size) => {
          ledger.append({ view: view(3), writeSet: put("k", "x".repeat(size)) });
          return sign(ledger, node, view(3)).flags;
        });
      expect(flags(backup)).toEqual(flags(again));
    }
  });

  test("before an entry that says so", () => {
    const ledger = createLedger({ chunkBytes: 4_000 });
    expect(flagsOf(ledger, [3_000])).toEqual([0]);
    ledger.append({ view: V2, writeSet: put("k", "x".repeat(3_900)), flags: FLAG_CHUNK_ENDS_BEFORE });
    expect(flagsOf(ledger, [0, 1])).toEqual([1, 0]);
  });

  test("size and memory bounds out of range are refused", () => {
    for (const chunkBytes of [0, -1, 1.5, 2 ** 32]) expect(() => createLedger({ chunkBytes })).toThrow(RangeError);
    expect(() => createLedger({ retainBytes: -1 })).toThrow(RangeError);
  });
});

test("the whole works with P-384 keys, as CCF has them", () => {
  const signer = createNode(service, "P-384");
  const ledger = createLedger({ nodeCertificate: () => signer.certificatePem });
  fill(ledger, 2);
  const signed = decode(sign(ledger, signer));
  ledger.rollback(seqno(ledger.lastSeqno - 1));
  expect(ledger.appendReplicated(signed).isSignature).toBe(true);
});
