/** What an entry holds at most and at least (ledger spec §2, §3): the last that is taken, and the first that is not. */
import { concatBytes, hex, seqno, utf8, VIEW_MAX, view, WireError, type WriteSet } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { codeOf, put, secrets, suite } from "../test/fixture.js";
import { blob, map, seal, type0, u64 } from "../test/hand-made-entry.js";
import { EvidenceMaker } from "./commit-evidence.js";
import { checkEntry, decodeEntry } from "./decode-entry.js";
import { encodeEntry, planEntry, writeEntry } from "./encode-entry.js";
import { parseEntryHeader } from "./entry-header.js";
import { CHANGES_MAX, ENTRY_BYTES_MIN, FLAG_CHUNK_ENDS_BEFORE, MAPS_MAX, NAME_BYTES_MAX } from "./limits.js";

const decodeCode = (bytes: Uint8Array) => codeOf(() => decodeEntry(suite, secrets, bytes));
const input = { view: view(3), seqno: seqno(7), writeSet: put("k", "v") };
const head = (name: string) => concatBytes(blob(name), u64(0), u64(0));

describe("decodeEntry takes", () => {
  test("a name of as many bytes as there may be", () => {
    const name = `public:${"n".repeat(NAME_BYTES_MAX - 7)}`;
    expect(decodeCode(seal(type0(map(name, "k"))))).toBe("no error");
    expect(decodeCode(seal(type0(map(`${name}n`, "k"))))).toBe("too-large");
  });

  test("as many maps as there may be", () => {
    const maps = Array.from({ length: MAPS_MAX + 1 }, (_, index) => map(`public:${10_000 + index}`, "k"));
    expect(decodeCode(seal(type0(...maps.slice(1))))).toBe("no error");
    expect(decodeCode(seal(type0(...maps)))).toBe("too-large");
  });

  test("as many changes as there may be, in all maps of the entry together", () => {
    const removes = (name: string, count: number) => {
      const keys = new Uint8Array(count * 12);
      const data = new DataView(keys.buffer);
      for (let index = 0; index < count; index++) {
        data.setUint32(index * 12, 4, true);
        data.setUint32(index * 12 + 8, index); // ascending
      }
      return concatBytes(head(name), u64(0), u64(count), keys);
    };
    expect(decodeCode(seal(type0(removes("public:a", CHANGES_MAX))))).toBe("no error");
    const two = type0(removes("public:a", CHANGES_MAX - 1), map("public:b", "k", "l"));
    expect(decodeCode(seal(two))).toBe("too-large");
  });

  test("keys and values of no bytes, whose lengths are all there is", () => {
    expect(decodeCode(seal(type0(concatBytes(head("public:a"), u64(1), u64(0), u64(0), u64(0)))))).toBe("no error");
    expect(decodeCode(seal(type0(concatBytes(head("public:a"), u64(0), u64(1), u64(0)))))).toBe("no error");
  });

  test("no map that says it was read, be it at version or by count", () => {
    const rest = concatBytes(u64(1), blob("k"), blob("v"), u64(0));
    for (const [version, count] of [
      [1, 0],
      [0, 1],
      [1, 1],
    ] as const) {
      const bytes = seal(type0(concatBytes(blob("public:a"), u64(version), u64(count), rest)));
      expect(decodeCode(bytes)).toBe("bad-map");
    }
  });

  test("no name that is no text, in either domain and whether or not the maps are handed out", () => {
    for (const [prefix, entryOf] of [
      ["public:", (maps: Uint8Array) => seal(type0(maps))],
      ["a", (maps: Uint8Array) => seal(type0(), maps)],
      ["", (maps: Uint8Array) => seal(type0(), maps)],
    ] as const) {
      const name = concatBytes(utf8(prefix), Uint8Array.of(0xc3, 0xc3));
      const rest = concatBytes(u64(0), u64(0), u64(0), u64(1), blob("k"));
      const bytes = entryOf(concatBytes(u64(name.length), name, rest));
      for (const read of [decodeEntry, checkEntry]) expect(codeOf(() => read(suite, secrets, bytes))).toBe("bad-map");
    }
  });

  test("no entry that changes nothing", () => {
    for (const read of [decodeEntry, checkEntry]) {
      for (const given of [undefined, secrets]) expect(codeOf(() => read(suite, given, seal(type0())))).toBe("bad-map");
    }
  });

  test("what ends too soon is refused with what found it", () => {
    const short = seal(type0(), u64(1));
    for (const read of [decodeEntry, checkEntry]) {
      const error = expect.objectContaining({ code: "truncated", cause: expect.any(WireError) });
      expect(() => read(suite, secrets, short)).toThrow(error);
    }
  });

  test("no keys out of order among the removed ones", () => {
    const removes = (...keys: string[]) =>
      seal(type0(concatBytes(head("public:a"), u64(0), u64(keys.length), ...keys.map(blob))));
    expect([removes("a", "b"), removes("b", "a"), removes("a", "a")].map(decodeCode)).toEqual([
      "no error",
      "bad-map",
      "bad-map",
    ]);
  });

  test("the IV of the entry and no snapshot's, whose view is as large as a view can be", () => {
    expect(decodeCode(seal(type0(map("public:m", "k")), undefined, { ivView: VIEW_MAX }))).toBe("no error");
    expect(decodeCode(seal(type0(map("public:m", "k")), undefined, { ivView: VIEW_MAX + 1 }))).toBe("bad-iv");
  });
});

describe("encodeEntry", () => {
  test("takes the last view there is, and seqnos and flags that are integers", () => {
    const bad = (more: object) => expect(() => encodeEntry(suite, secrets, { ...input, ...more })).toThrow(RangeError);
    for (const seqno of [-1, Number.NaN, 2 ** 53]) bad({ seqno });
    for (const view of [-1, 0.5, Number.NaN, VIEW_MAX + 1]) bad({ view });
    for (const flags of [-1, 1.5, Number.NaN, 2 ** 32]) bad({ flags });
    bad({ claimsDigest: new Uint8Array(33) });
    const last = { ...input, view: view(VIEW_MAX), flags: FLAG_CHUNK_ENDS_BEFORE };
    expect(decodeEntry(suite, secrets, encodeEntry(suite, secrets, last))).toMatchObject({ view: VIEW_MAX, flags: 2 });
    const first = { ...input, view: view(0), seqno: seqno(1) };
    expect(decodeEntry(suite, secrets, encodeEntry(suite, secrets, first))).toMatchObject({ view: 0, seqno: 1 });
  });

  test("writes seqnos beyond 32 bits, and their evidence", () => {
    for (const at of [2 ** 32, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER]) {
      const txId = { view: view(VIEW_MAX), seqno: seqno(at) };
      const bytes = encodeEntry(suite, secrets, { ...input, ...txId });
      expect(decodeEntry(suite, secrets, bytes)).toMatchObject({ ...txId, writeSet: input.writeSet });
    }
  });

  test("counts the changes of all maps, and refuses one too many", () => {
    const keys = Array.from({ length: CHANGES_MAX }, (_, index) => Uint8Array.of(index >> 16, index >> 8, index));
    const writeSet = (removed: number): WriteSet => [
      ...put("k", "v", "a"),
      { name: "b", writes: [], removes: keys.slice(0, removed) },
    ];
    expect(codeOf(() => planEntry({ ...input, writeSet: writeSet(CHANGES_MAX - 1) }))).toBe("no error");
    expect(codeOf(() => planEntry({ ...input, writeSet: writeSet(CHANGES_MAX) }))).toBe("too-large");
  });

  test("fills exactly the memory it planned for, wherever that lies", () => {
    const plan = planEntry({ ...input, writeSet: [...put("k", "v", "a"), ...put("k", "value", "public:b")] });
    for (const more of [-1, 1]) {
      expect(() => writeEntry(suite, secrets, plan, new Uint8Array(plan.bytes + more))).toThrow(RangeError);
    }
    const memory = new Uint8Array(plan.bytes + 20).fill(0xee);
    const written = writeEntry(suite, secrets, plan, memory.subarray(10, 10 + plan.bytes));
    expect(hex(memory.subarray(0, 10)) + hex(memory.subarray(-10))).toBe("ee".repeat(20));
    const decoded = decodeEntry(suite, secrets, memory.subarray(10, 10 + plan.bytes));
    expect(written).toEqual({ writeSetDigest: decoded.writeSetDigest, leaf: decoded.leaf });
  });

  test("leaves no plaintext behind when it cannot be sealed", () => {
    const plan = planEntry({ ...input, writeSet: put("k", "private value") });
    const target = new Uint8Array(plan.bytes);
    const broken = {
      keysFor: () => ({
        aead: {
          seal: () => {
            throw new Error("no memory");
          },
        },
        evidence: new EvidenceMaker(suite, new Uint8Array(32)),
      }),
    };
    // The ledger secrets are a class; only `keysFor` is asked of them here.
    expect(() => writeEntry(suite, broken as never, plan, target)).toThrow("no memory");
    expect(String.fromCharCode(...target)).not.toContain("private value");
  });
});

describe("an entry's header", () => {
  const header = (size: number, ...above: number[]) => {
    const bytes = new Uint8Array(8);
    bytes[0] = 1;
    new DataView(bytes.buffer).setUint32(2, size, true);
    bytes.set(above, 6);
    return bytes;
  };

  test("is taken for the least and the most bytes that are allowed, and counted with its own", () => {
    expect(parseEntryHeader(header(ENTRY_BYTES_MIN - 8))).toEqual({ flags: 0, bytes: ENTRY_BYTES_MIN });
    expect(codeOf(() => parseEntryHeader(header(ENTRY_BYTES_MIN - 9)))).toBe("truncated");
    expect(parseEntryHeader(header(992), 0, 1_000).bytes).toBe(1_000);
    expect(codeOf(() => parseEntryHeader(header(993), 0, 1_000))).toBe("too-large");
  });

  test("has a size of 48 bits", () => {
    const size = 3 * 2 ** 32 + 100;
    expect(parseEntryHeader(header(100, 3), 0, 2 ** 48).bytes).toBe(size + 8);
    expect(codeOf(() => parseEntryHeader(header(100, 3)))).toBe("too-large");
  });

  test("is read where it starts, and needs its 8 bytes there", () => {
    const bytes = concatBytes(new Uint8Array(3), header(100));
    expect(parseEntryHeader(bytes, 3).bytes).toBe(108);
    expect(codeOf(() => parseEntryHeader(bytes, 4))).toBe("truncated");
  });
});
