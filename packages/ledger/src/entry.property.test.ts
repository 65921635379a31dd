import { seqno, utf8, VIEW_MAX, view, type WriteSet } from "@sealane/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, secrets, suite } from "../test/fixture.js";
import { decodeEntry } from "./decode-entry.js";
import { encodeEntry } from "./encode-entry.js";
import { LedgerError } from "./errors.js";
import { compareBytes } from "./order.js";

const key = fc.uint8Array({ maxLength: 6 });
const value = fc.uint8Array({ maxLength: 40 });
const name = fc
  .tuple(fc.constantFrom("public:", ""), fc.string({ unit: "grapheme", maxLength: 6 }))
  .map((parts) => parts.join(""));

const map = fc
  .uniqueArray(fc.tuple(key, fc.option(value)), { minLength: 1, maxLength: 6, selector: ([k]) => k.join() })
  .map((changes) => {
    const sorted = changes.sort(([a], [b]) => compareBytes(a, b));
    return {
      writes: sorted.flatMap(([k, v]): [Uint8Array, Uint8Array][] => (v === null ? [] : [[k, v]])),
      removes: sorted.flatMap(([k, v]) => (v === null ? [k] : [])),
    };
  });

const writeSet: fc.Arbitrary<WriteSet> = fc
  .uniqueArray(fc.tuple(name, map), { minLength: 1, maxLength: 5, selector: ([text]) => text })
  .map((maps) => maps.map(([text, changes]) => ({ name: text, ...changes })))
  .map((maps) => maps.sort((a, b) => compareBytes(utf8(a.name), utf8(b.name))));

const input = fc.record({
  view: fc.integer({ min: 0, max: VIEW_MAX }).map(view),
  seqno: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map(seqno),
  writeSet,
  flags: fc.constantFrom(0, 2),
  claimsDigest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
});

test("decode ∘ encode is the identity, and encoding again gives the same bytes", () => {
  fc.assert(
    fc.property(input, (given) => {
      const bytes = encodeEntry(suite, secrets, given);
      const { view, seqno, flags, writeSet, claimsDigest = new Uint8Array() } = decodeEntry(suite, secrets, bytes);
      expect({ view, seqno, flags, writeSet, claimsDigest }).toEqual(given);
      expect(encodeEntry(suite, secrets, { view, seqno, flags, writeSet, claimsDigest })).toEqual(bytes);
    }),
    { numRuns: 150 },
  );
});

test("any bytes, also mutated entries without the check of the tag, give an entry or a LedgerError", () => {
  const base = encodeEntry(suite, secrets, {
    view: view(2),
    seqno: seqno(3),
    writeSet: [{ name: "public:m", writes: [[utf8("key"), utf8("value")]], removes: [utf8("other")] }],
  });
  const mutated = fc
    .array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const bytes = base.slice();
      for (const [offset, byte] of changes) bytes[offset] = byte;
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      try {
        decodeEntry(suite, undefined, bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(LedgerError);
      }
    }),
    { numRuns: 500 },
  );
  expect(codeOf(() => decodeEntry(suite, secrets, base))).toBe("no error");
});
