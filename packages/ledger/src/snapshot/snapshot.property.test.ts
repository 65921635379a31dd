import { equalBytes, seqno, utf8 } from "@sealane/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { secrets, suite } from "../../test/fixture.js";
import { decodeSnapshot, type SnapshotMap } from "./decode-snapshot.js";
import { encodeSnapshot, snapshotSteps } from "./encode-snapshot.js";
import { keyRank } from "./key-order.js";

const bytes = fc.uint8Array({ maxLength: 20 });
const state = fc.record({
  seqno: fc.integer({ min: 9, max: 2 ** 50 }),
  leaf: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  viewHistory: fc
    .array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 })
    .map((starts) => starts.sort((a, b) => a - b)),
  maps: fc.uniqueArray(
    fc.record({
      name: fc
        .oneof(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8, unit: "grapheme" }))
        .chain((name) => fc.constantFrom(name, `public:${name}`)),
      changedAt: fc.nat(9),
      entries: fc.uniqueArray(fc.record({ key: bytes, value: bytes, writtenAt: fc.nat(9) }), {
        maxLength: 12,
        selector: ({ key }) => key.join(),
      }),
    }),
    { maxLength: 6, selector: ({ name }) => name },
  ),
});

const byText = <T>(items: readonly T[], text: (item: T) => string) =>
  items.toSorted((a, b) => (text(a) < text(b) ? -1 : 1));

test("decode ∘ encode is the identity, up to order, and the order is the format's", () => {
  fc.assert(
    fc.property(state, ({ seqno: at, ...rest }) => {
      const input = { ...rest, seqno: seqno(at) };
      const encoded = encodeSnapshot(suite, secrets, input);
      const { publicMaps, privateMaps = [], ...snapshot } = decodeSnapshot(suite, secrets, encoded.bytes);
      expect(snapshot).toMatchObject({ seqno: at, leaf: rest.leaf, viewHistory: rest.viewHistory, flags: 0 });
      expect(equalBytes(snapshot.digest, encoded.digest)).toBe(true);
      const found = [...publicMaps, ...privateMaps];
      for (const { entries } of found) {
        const ranks = entries.map(({ key }) => keyRank(key));
        expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
      }
      const sorted = (maps: readonly SnapshotMap[]) =>
        byText(maps, ({ name }) => name).map((map) => ({
          ...map,
          entries: byText(map.entries, ({ key }) => key.join()),
        }));
      expect(sorted(found)).toEqual(sorted(rest.maps));
    }),
    { numRuns: 60 },
  );
});

test("the state is read before the first pause", () => {
  const entries = Array.from({ length: 5_000 }, (_, index) => ({
    key: utf8(`key ${index}`),
    value: utf8("value"),
    writtenAt: 3,
  }));
  const input = {
    seqno: seqno(4),
    leaf: new Uint8Array(32),
    viewHistory: [1, 1],
    maps: [{ name: "m", changedAt: 3, entries }],
  };
  const whole = encodeSnapshot(suite, secrets, input);
  const steps = snapshotSteps(suite, secrets, input);
  let step = steps.next();
  entries.length = 0;
  let pauses = 0;
  for (; step.done !== true; step = steps.next()) pauses++;
  expect(pauses).toBeGreaterThan(3);
  expect(equalBytes(step.value.bytes, whole.bytes)).toBe(true);
});
