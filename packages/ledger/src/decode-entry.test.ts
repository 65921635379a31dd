import { concatBytes, hex, seqno, utf8, view, type WriteSet } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { at, codeOf, createLedger, fill, put, secrets, suite } from "../test/fixture.js";
import { blob, map, seal, type0, u64 } from "../test/hand-made-entry.js";
import { decodeEntry } from "./decode-entry.js";
import { encodeEntry } from "./encode-entry.js";
import { entriesDigest, splitEntries } from "./entry-header.js";
import { commitEvidence, LedgerSecrets } from "./ledger-secrets.js";
import { CHANGES_MAX, ENTRY_BYTES_MAX, MAPS_MAX, NAME_BYTES_MAX, PUBLIC_OFFSET } from "./limits.js";

const V = view(3);
const S = seqno(7);
const mixed: WriteSet = [
  { name: "private one", writes: [[utf8("a"), utf8("1")]], removes: [utf8("b"), utf8("c")] },
  { name: "public:two", writes: [[utf8(""), utf8("")]], removes: [] },
  { name: "zebra", writes: [], removes: [utf8("")] },
];

function encode(writeSet: WriteSet, more: { flags?: number; claimsDigest?: Uint8Array } = {}): Uint8Array {
  return encodeEntry(suite, secrets, { view: V, seqno: S, writeSet, ...more });
}

const decodeCode = (bytes: Uint8Array) => codeOf(() => decodeEntry(suite, secrets, bytes));

describe("an entry", () => {
  test("has the layout of §2 to §5, byte by byte", () => {
    const claimsDigest = new Uint8Array(32).fill(9);
    const bytes = encode(put("key", "value", "public:m"), { flags: 2, claimsDigest });
    const evidence = utf8(commitEvidence(suite, secrets, { view: V, seqno: S }));
    const domain = concatBytes(
      Uint8Array.of(4),
      u64(7),
      claimsDigest,
      suite.sha256(evidence),
      u64(0),
      concatBytes(blob("public:m"), u64(0), u64(0), u64(1), blob("key"), blob("value"), u64(0)),
    );
    expect(bytes.subarray(0, 8)).toEqual(concatBytes(Uint8Array.of(1, 2), u64(bytes.length - 8).subarray(0, 6)));
    expect(bytes.subarray(24, 36)).toEqual(concatBytes(u64(7), Uint8Array.of(3, 0, 0, 0)));
    expect(bytes.subarray(36, 44)).toEqual(u64(domain.length));
    expect(bytes.subarray(44)).toEqual(domain);
    const { aead } = secrets.keysFor(suite, S);
    expect(aead.open(bytes.subarray(24, 36), domain, new Uint8Array(), bytes.subarray(8, 24))).toEqual(
      new Uint8Array(),
    );
  });

  test("decodes to what was encoded, private maps only with the secrets", () => {
    const bytes = encode(mixed, { flags: 2 });
    const entry = decodeEntry(suite, secrets, bytes);
    expect(entry).toMatchObject({ seqno: 7, view: 3, flags: 2, entryType: 4, isSignature: false });
    expect(entry.writeSet).toEqual(mixed);
    expect(entry.publicMaps).toEqual([mixed[1]]);
    expect(entry.privateMaps).toEqual([mixed[0], mixed[2]]);
    expect(hex(entry.writeSetDigest)).toBe(hex(suite.sha256(bytes)));
    const evidence = suite.sha256(utf8(commitEvidence(suite, secrets, entry)));
    expect(entry.leaf).toEqual(suite.sha256(entry.writeSetDigest, evidence, new Uint8Array(32)));
    const sealed = decodeEntry(suite, undefined, bytes);
    expect(sealed.privateMaps).toBeUndefined();
    expect(sealed.writeSet).toEqual([mixed[1]]);
    expect(sealed.leaf).toEqual(entry.leaf);
  });

  test("does not show private names, keys or values", () => {
    const text = String.fromCharCode(...encode(mixed));
    expect(text).toContain("public:two");
    expect(text).not.toContain("private one");
    expect(text).not.toContain("zebra");
  });

  test("types 0, 2 and 3 are read, with the leaf of §6.1", () => {
    const claims = new Uint8Array(32).fill(1);
    const evidence = suite.sha256(utf8(commitEvidence(suite, secrets, { view: V, seqno: S })));
    const maps = map("public:m", "k");
    const zero = decodeEntry(suite, secrets, seal(type0(maps)));
    expect(zero.leaf).toEqual(zero.writeSetDigest);
    const two = decodeEntry(suite, secrets, seal(concatBytes(Uint8Array.of(2), u64(7), claims, u64(5), maps)));
    expect(two.leaf).toEqual(suite.sha256(two.writeSetDigest, claims));
    const three = decodeEntry(
      suite,
      secrets,
      seal(concatBytes(Uint8Array.of(3), u64(7), evidence, new Uint8Array(8).fill(255), maps)),
    );
    expect(three.leaf).toEqual(suite.sha256(three.writeSetDigest, evidence));
  });

  test("the secret in force is the one with the greatest start at or below its seqno (§4)", () => {
    const key = (fill: number) => new Uint8Array(32).fill(fill);
    const two = new LedgerSecrets([
      { from: seqno(5), key: key(2) },
      { from: seqno(1), key: key(1) },
    ]);
    expect([1, 4, 5, 9].map((at) => two.keyFor(seqno(at)).key[0])).toEqual([1, 1, 2, 2]);
    expect(codeOf(() => new LedgerSecrets([{ from: seqno(8), key: key(1) }]).keyFor(S))).toBe("no-secret");
    expect(() => new LedgerSecrets([])).toThrow(RangeError);
    expect(() => new LedgerSecrets([{ from: S, key: key(1).subarray(1) }])).toThrow(RangeError);
    expect(JSON.stringify(two)).toBe("{}");
  });
});

describe("decodeEntry refuses", () => {
  const bytes = encode(mixed);

  test("every shorter and any longer input", () => {
    for (let length = 0; length < bytes.length; length++)
      expect(decodeCode(bytes.subarray(0, length))).toBe("truncated");
    expect(decodeCode(concatBytes(bytes, Uint8Array.of(0)))).toBe("trailing");
  });

  test("every flipped bit but those of the flags, which only the Merkle tree covers (§2)", () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const bad = bytes.slice();
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const code = decodeCode(bad);
      if (bit === 8 + 1) expect(code).toBe("no error");
      else expect(code, `bit ${bit}`).not.toBe("no error");
    }
  });

  test("another version, unknown flags, and an end of chunk after no signature", () => {
    const change = (offset: number, value: number) => {
      const bad = bytes.slice();
      bad[offset] = value;
      return bad;
    };
    expect(decodeCode(change(0, 2))).toBe("bad-version");
    expect(decodeCode(change(1, 4))).toBe("bad-flags");
    expect(decodeCode(change(1, 1))).toBe("bad-flags");
    expect(decodeCode(change(PUBLIC_OFFSET, 1))).toBe("bad-type");
    expect(decodeCode(change(PUBLIC_OFFSET, 5))).toBe("bad-type");
    expect(decodeCode(change(35, 0x80))).toBe("bad-iv");
    expect(decodeCode(change(8, (bytes[8] ?? 0) ^ 1))).toBe("bad-tag");
  });

  test("a secret other than the writer's, and one that starts later", () => {
    const other = new LedgerSecrets([{ from: seqno(1), key: new Uint8Array(32).fill(8) }]);
    expect(codeOf(() => decodeEntry(suite, other, bytes))).toBe("bad-tag");
    const later = new LedgerSecrets([{ from: seqno(8), key: new Uint8Array(32).fill(7) }]);
    expect(codeOf(() => decodeEntry(suite, later, bytes))).toBe("no-secret");
  });

  test("an IV with another seqno than the public domain, and seqno 0", () => {
    expect(decodeCode(seal(type0(map("public:m", "k")), undefined, { ivSeqno: 8 }))).toBe("bad-iv");
    const zero = concatBytes(Uint8Array.of(0), u64(0), u64(0), map("public:m", "k"));
    expect(decodeCode(seal(zero, undefined, { ivSeqno: 0 }))).toBe("bad-iv");
  });

  test("commit evidence of another secret", () => {
    const domain = concatBytes(Uint8Array.of(3), u64(7), new Uint8Array(32), u64(0), map("public:m", "k"));
    expect(decodeCode(seal(domain))).toBe("bad-evidence");
  });

  test("maps and keys out of order, twice, empty, or in the wrong domain", () => {
    const bad = (...maps: Uint8Array[]) => decodeCode(seal(type0(...maps)));
    expect(bad(map("public:m", "k"))).toBe("no error");
    expect(bad(map("public:b", "k"), map("public:a", "k"))).toBe("bad-map");
    expect(bad(map("public:a", "k"), map("public:a", "l"))).toBe("bad-map");
    expect(bad(map("public:a", "l", "k"))).toBe("bad-map");
    expect(bad(map("public:a", "k", "k"))).toBe("bad-map");
    expect(bad(map("public:a"))).toBe("bad-map");
    expect(bad(map("records", "k"))).toBe("bad-map");
    expect(bad()).toBe("bad-map");
    expect(decodeCode(seal(type0(), map("public:a", "k")))).toBe("bad-map");
    expect(decodeCode(seal(type0(), map("records", "k")))).toBe("no error");
    const reads = concatBytes(blob("public:a"), u64(0), u64(1), u64(0), u64(0));
    expect(bad(reads)).toBe("bad-map");
    const both = concatBytes(blob("public:a"), u64(0), u64(0), u64(1), blob("k"), blob("v"), u64(1), blob("k"));
    expect(bad(both)).toBe("bad-map");
    const notText = concatBytes(
      u64(8),
      utf8("public:"),
      Uint8Array.of(0xff),
      u64(0),
      u64(0),
      u64(0),
      u64(1),
      blob("k"),
    );
    expect(bad(notText)).toBe("bad-map");
  });

  test("hostile lengths and counts, without taking memory for them", () => {
    const bad = (...parts: Uint8Array[]) => decodeCode(seal(type0(...parts)));
    const head = concatBytes(blob("public:a"), u64(0), u64(0));
    expect(bad(u64(NAME_BYTES_MAX + 1))).toBe("too-large");
    expect(bad(u64(2 ** 52))).toBe("too-large");
    expect(bad(new Uint8Array(8).fill(0xff))).toBe("too-large");
    expect(bad(head, u64(CHANGES_MAX + 1))).toBe("too-large");
    expect(bad(head, u64(CHANGES_MAX))).toBe("truncated");
    expect(bad(head, u64(0), u64(CHANGES_MAX))).toBe("truncated");
    expect(bad(head, u64(1), u64(2 ** 40))).toBe("truncated");
    const long = bytes.slice();
    long.fill(0xff, 2, 8);
    expect(decodeCode(long)).toBe("too-large");
    const publicLength = bytes.slice();
    publicLength.fill(0xff, 36, 44);
    expect(decodeCode(publicLength)).toBe("too-large");
  });
});

describe("encodeEntry refuses", () => {
  const code = (writeSet: WriteSet) => codeOf(() => encode(writeSet));
  const one: [Uint8Array, Uint8Array] = [utf8("k"), utf8("v")];

  test("what decodeEntry would not read back", () => {
    expect(code([])).toBe("bad-map");
    expect(code([{ name: "a", writes: [], removes: [] }])).toBe("bad-map");
    expect(code([...put("k", "v", "b"), ...put("k", "v", "a")])).toBe("bad-map");
    expect(code([...put("k", "v", "a"), ...put("k", "v", "a")])).toBe("bad-map");
    expect(code([{ name: "a", writes: [one, one], removes: [] }])).toBe("bad-map");
    expect(code([{ name: "a", writes: [one], removes: [utf8("a"), utf8("k")] }])).toBe("bad-map");
    expect(code([{ name: "a", writes: [], removes: [utf8("b"), utf8("a")] }])).toBe("bad-map");
  });

  test("what is over a bound, and takes what is at it", () => {
    expect(code(put("k", "v", "n".repeat(NAME_BYTES_MAX)))).toBe("no error");
    expect(code(put("k", "v", "n".repeat(NAME_BYTES_MAX + 1)))).toBe("too-large");
    const maps = Array.from({ length: MAPS_MAX + 1 }, (_, index) => `${10_000 + index}`).flatMap((name) =>
      put("k", "v", name),
    );
    expect(code(maps.slice(1))).toBe("no error");
    expect(code(maps)).toBe("too-large");
    const overhead = encode(put("k", "")).length;
    const writes = (bytes: number): WriteSet => [
      { name: "records", writes: [[utf8("k"), new Uint8Array(bytes)]], removes: [] },
    ];
    expect(encode(writes(ENTRY_BYTES_MAX - overhead)).length).toBe(ENTRY_BYTES_MAX);
    expect(code(writes(ENTRY_BYTES_MAX - overhead + 1))).toBe("too-large");
  });

  test("numbers and lengths out of range, as bugs of the caller", () => {
    const input = { view: V, seqno: S, writeSet: put("k", "v") };
    const bad = (more: object) => expect(() => encodeEntry(suite, secrets, { ...input, ...more })).toThrow(RangeError);
    bad({ seqno: 0 });
    bad({ seqno: 1.5 });
    bad({ view: 2 ** 31 });
    bad({ flags: 4 });
    bad({ claimsDigest: new Uint8Array(31) });
  });
});

describe("splitEntries", () => {
  const entries = fill(createLedger(), 4);
  const bytes = concatBytes(...entries.map((entry) => entry.bytes));

  test("cuts entries apart as views", () => {
    const parts = splitEntries(bytes);
    expect(parts).toEqual(entries.map((entry) => entry.bytes));
    expect(at(parts, 0).buffer).toBe(bytes.buffer);
    expect(splitEntries(new Uint8Array())).toEqual([]);
  });

  test("refuses a last entry that is cut short, and a header no entry has", () => {
    expect(codeOf(() => splitEntries(bytes.subarray(0, -1)))).toBe("truncated");
    expect(codeOf(() => splitEntries(concatBytes(bytes, Uint8Array.of(1, 0, 0))))).toBe("truncated");
    expect(codeOf(() => splitEntries(concatBytes(bytes, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0))))).toBe("truncated");
    expect(codeOf(() => splitEntries(concatBytes(bytes, new Uint8Array(99))))).toBe("bad-version");
  });

  test("entriesDigest binds all digests, and is zeros for none", () => {
    expect(entriesDigest(suite, [])).toEqual(new Uint8Array(32));
    expect(entriesDigest(suite, [new Uint8Array()])).toEqual(new Uint8Array(32));
    const digests = entries.map(({ digest }) => digest);
    expect(entriesDigest(suite, digests)).toEqual(suite.sha256(concatBytes(...digests)));
    expect(entriesDigest(suite, [concatBytes(...digests)])).toEqual(entriesDigest(suite, digests));
  });
});
