/**
 * Members with valid keys that seal what they like: their frames are authentic, and the replication messages in them are any bytes, or
 * well-formed with any values in their fields. Nothing of that may throw out of a `NodeCore`, damage what it holds, or keep it from going on.
 * (What such a member can do by lying about what it holds is outside of the fault model: it counts as a vote and a copy.)
 */
import { type ConsensusMessage, type encodeConsensus, fromUtf8, parseJson, utf8, VIEW_MAX } from "@sealane/wire";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { Cluster, type SimulatedNode } from "../src/index.js";

/** What leaves instead of a message. */
type Forging = (message: ConsensusMessage, header: Uint8Array) => Uint8Array;
const forge = vi.hoisted(() => ({ next: undefined as Forging | undefined }));

vi.mock("@sealane/wire", async (original) => {
  const wire = await original<{ encodeConsensus: typeof encodeConsensus }>();
  return {
    ...wire,
    encodeConsensus(...parts: Parameters<typeof encodeConsensus>): Uint8Array {
      const header = wire.encodeConsensus(...parts);
      return forge.next === undefined ? header : forge.next(parts[0], header);
    },
  };
});

afterEach(() => {
  forge.next = undefined;
});

const word = fc.oneof(
  fc.bigInt({ min: 0n, max: 40n }),
  fc.constantFrom(2n ** 31n - 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
);
/** How to forge a header: whole fields of eight bytes, single bytes, its length, or all of it. */
const forgery = fc.oneof(
  { weight: 4, arbitrary: fc.record({ how: fc.constant("field" as const), at: fc.nat(8), value: word }) },
  { weight: 2, arbitrary: fc.record({ how: fc.constant("byte" as const), at: fc.nat(100), value: fc.nat(255) }) },
  { weight: 1, arbitrary: fc.record({ how: fc.constant("length" as const), bytes: fc.nat(120) }) },
  { weight: 1, arbitrary: fc.record({ how: fc.constant("bytes" as const), bytes: fc.uint8Array({ maxLength: 120 }) }) },
);
type Forgery = typeof forgery extends fc.Arbitrary<infer T> ? T : never;

function forged(header: Uint8Array, with_: Forgery): Uint8Array {
  if (with_.how === "bytes") return with_.bytes;
  if (with_.how === "length") {
    const bytes = new Uint8Array(with_.bytes);
    bytes.set(header.subarray(0, with_.bytes));
    return bytes;
  }
  const bytes = header.slice();
  if (with_.how === "byte") bytes[with_.at % bytes.length] = with_.value;
  else if (with_.at * 8 + 8 <= bytes.length) new DataView(bytes.buffer).setBigUint64(with_.at * 8, with_.value, true);
  return bytes;
}

/** Whatever a primary sends, or whatever a backup and a candidate send. */
test.each([
  ["append-entries", ["append-entries"]],
  ["answers and vote requests", ["append-entries-response", "request-vote", "request-vote-response"]],
])("forged %s make no node throw, and change nothing that is committed", (_, kinds) => {
  fc.assert(
    fc.property(fc.array(forgery, { minLength: 1, maxLength: 12 }), fc.nat(1_000), (forgeries, seed) => {
      const cluster = new Cluster({ seed });
      const nodes = [cluster.found()];
      nodes.push(cluster.join(nodes[0] as SimulatedNode));
      const [first] = nodes as [SimulatedNode];
      const put = { method: "PUT", path: "/records/k", body: utf8('{"value":"before"}') };
      expect(cluster.ask(first, put)?.status).toBe(200);
      cluster.run(300);
      const committed = nodes.map((node) => node.committed);
      let turn = 0;
      forge.next = (message, header) => {
        const next = forgeries[turn++ % forgeries.length];
        return next === undefined || turn % 3 === 0 || !kinds.includes(message.type) ? header : forged(header, next);
      };
      cluster.run(4_000); // a node that throws, or commits another entry than the other, ends the run
      forge.next = undefined;
      expect(turn).toBeGreaterThan(5);
      for (const [index, node] of nodes.entries()) {
        expect(node.isUp).toBe(true);
        expect(node.committed).toBeGreaterThanOrEqual(committed[index] ?? 0);
        const state = node.state(cluster.nowMs);
        expect(Number(state?.committed.split(".")[1])).toBeLessThanOrEqual(state?.lastSeqno ?? 0);
        expect(state?.view).toBeLessThanOrEqual(VIEW_MAX);
        const path = "/records/k?consistency=serializable";
        const after = cluster.ask(node, { method: "GET", path });
        expect(parseJson(fromUtf8(after?.body ?? new Uint8Array()))).toMatchObject({ value: "before" });
      }
    }),
    { numRuns: 25, seed: 1 },
  );
});
