/** `checkEntry` makes less than `decodeEntry` and must refuse the same, whatever the bytes. */
import { concatBytes, seqno, utf8, view, type WriteSet } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { createLedger, genesis, node, put, secrets, serviceSigner, suite, V2 } from "../test/fixture.js";
import { flip } from "../test/state.js";
import { checkEntry, decodeEntry, type FollowedEntry } from "./decode-entry.js";
import { encodeEntry } from "./encode-entry.js";
import { LedgerError } from "./errors.js";
import { CHANGES_MAX, NAME_BYTES_MAX } from "./limits.js";

const [V, S] = [view(3), seqno(7)];
const keys = (...names: string[]) => names.map((name) => utf8(name));
const encode = (writeSet: WriteSet) => encodeEntry(suite, secrets, { view: V, seqno: S, writeSet });

const ledger = createLedger();
const first = ledger.append({ view: V2, writeSet: genesis() });
const entries: readonly (readonly [string, Uint8Array])[] = [
  ["private maps alone", encode([{ name: "a", writes: [[utf8("k"), utf8("v")]], removes: keys("l", "m") }])],
  ["a private map of another script", encode(put("schlüssel", "v", "märz"))],
  ["maps of both domains", encode([...put("k", "v", "public:a"), ...put("k", "v", "z")])],
  ["the first entry of a service", first.bytes],
  ["a signature", ledger.appendSignature({ view: V2, ...node, service: serviceSigner() }).bytes],
];

type Verdict = Omit<FollowedEntry, "bytes"> | string;

function verdict(read: typeof checkEntry, given: typeof secrets | undefined, bytes: Uint8Array): Verdict {
  try {
    const { seqno, view, flags, publicMaps, leaf, isSignature, signature } = read(suite, given, bytes);
    return { seqno, view, flags, publicMaps, leaf, isSignature, signature };
  } catch (error) {
    if (error instanceof LedgerError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

function expectSame(bytes: Uint8Array): Verdict {
  let last: Verdict = "";
  for (const given of [undefined, secrets]) {
    last = verdict(checkEntry, given, bytes);
    expect(last).toEqual(verdict(decodeEntry, given, bytes));
  }
  return last;
}

describe.each(entries)("%s", (_, bytes) => {
  test("is accepted, with the same place and leaf", () => {
    expect(expectSame(bytes)).toHaveProperty("leaf");
  });

  test("with any bit changed, or cut anywhere, meets the same refusal", () => {
    const step = bytes.length < 400 ? 1 : 211;
    for (let bit = 0; bit < 8 * bytes.length; bit += step) expectSame(flip(bytes, bit));
    for (let length = 0; length < bytes.length; length += step) expectSame(bytes.subarray(0, length));
    expectSame(concatBytes(bytes, Uint8Array.of(0)));
  });
});

/** A private domain made by hand and sealed with the right key: what only a holder of the secret can get wrong. */
function sealed(...fields: readonly (number | string)[]): Uint8Array {
  const u64 = (value: number) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    return bytes;
  };
  const plaintext = concatBytes(
    ...fields.flatMap((field) => (typeof field === "number" ? [u64(field)] : [u64(utf8(field).length), utf8(field)])),
  );
  const [domain, iv] = [concatBytes(Uint8Array.of(0), u64(S), u64(0)), new Uint8Array(12)];
  new DataView(iv.buffer).setBigUint64(0, BigInt(S), true);
  const { ciphertext, tag } = secrets.keysFor(suite, S).aead.seal(iv, domain, plaintext);
  const rest = concatBytes(tag, iv, u64(domain.length), domain, ciphertext);
  return concatBytes(Uint8Array.of(1, 0), u64(rest.length).subarray(0, 6), rest);
}

const ok = "accepted";
/** Each map: name, read version, read count, writes, removes. */
test.each<readonly [string, string, ...(number | string)[]]>([
  ["one map", ok, "a", 0, 0, 1, "k", "v", 0],
  ["writes and removes apart", ok, "a", 0, 0, 2, "a", "v", "c", "v", 2, "b", "d"],
  ["one key written and removed", "bad-map", "a", 0, 0, 2, "a", "v", "c", "v", 2, "b", "c"],
  ["the first key written and removed", "bad-map", "a", 0, 0, 2, "a", "v", "c", "v", 2, "a", "d"],
  ["keys out of order", "bad-map", "a", 0, 0, 2, "l", "v", "k", "v", 0],
  ["a key twice", "bad-map", "a", 0, 0, 2, "k", "v", "k", "v", 0],
  ["a longer key before its prefix", "bad-map", "a", 0, 0, 2, "kk", "v", "k", "v", 0],
  ["removes out of order", "bad-map", "a", 0, 0, 0, 2, "l", "k"],
  ["maps out of order", "bad-map", "b", 0, 0, 0, 1, "k", "a", 0, 0, 0, 1, "k"],
  ["a map twice", "bad-map", "a", 0, 0, 0, 1, "k", "a", 0, 0, 0, 1, "k"],
  ["a map without a change", "bad-map", "a", 0, 0, 0, 0],
  ["a public map", "bad-map", "public:a", 0, 0, 0, 1, "k"],
  ["a read version", "bad-map", "a", 1, 0, 0, 1, "k"],
  ["a read count", "bad-map", "a", 0, 1, 0, 1, "k"],
  ["more writes than there are", "truncated", "a", 0, 0, 5, "k", "v", 0],
  ["more writes than may be", "too-large", "a", 0, 0, CHANGES_MAX + 1, "k", "v", 0],
  ["a count that is no number", "too-large", "a", 0, 0, Number.MAX_SAFE_INTEGER + 1],
  ["a name that is too long", "too-large", "n".repeat(NAME_BYTES_MAX + 1), 0, 0, 0, 1, "k"],
  ["no removes", "truncated", "a", 0, 0, 1, "k", "v"],
])("a private domain of %s: %s", (_, expected, ...fields) => {
  const found = expectSame(sealed(...fields));
  expect(typeof found === "string" ? found.split(":")[0] : ok).toBe(expected);
});
