import { type ConsensusMessage, ELECTION_PRE_VOTE, ELECTION_REGULAR, type NodeId, seqno, view } from "@sealane/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Entry, Output } from "../src/index.js";
import { a, Bench, b, c, entry, log } from "./support/bench.js";

/** Any number a field's type admits, often one that is close to what the replica holds. */
const number = fc.oneof(
  { weight: 6, arbitrary: fc.nat(12) },
  fc.constantFrom(-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53),
);
const anyView = number.map(view);
const anySeqno = number.map(seqno);
const election = fc.constantFrom(ELECTION_PRE_VOTE, ELECTION_REGULAR);

const message: fc.Arbitrary<ConsensusMessage> = fc.oneof(
  fc.record({
    type: fc.constant("append-entries" as const),
    seqno: anySeqno,
    prevSeqno: anySeqno,
    view: anyView,
    prevView: anyView,
    commitSeqno: anySeqno,
    viewOfSeqno: anyView,
  }),
  fc.record({
    type: fc.constant("append-entries-response" as const),
    view: anyView,
    lastSeqno: anySeqno,
    success: fc.boolean(),
  }),
  fc.record({
    type: fc.constant("request-vote" as const),
    view: anyView,
    lastCommittableSeqno: anySeqno,
    viewOfLastCommittableSeqno: anyView,
    election,
  }),
  fc.record({ type: fc.constant("request-vote-response" as const), view: anyView, granted: fc.boolean(), election }),
  fc.record({ type: fc.constant("propose-request-vote" as const), view: anyView }),
);

const from = fc.constantFrom(...(["a", "b", "c", "z"] as NodeId[])); // the core never looks inside an id
const nodes = fc.array(from, { maxLength: 3 });
/** What may stand behind append-entries. The ids fit, since other entries are refused at once. */
const payload = fc.array(
  fc.record({
    signature: fc.boolean(),
    configuration: fc.option(nodes, { nil: undefined, freq: 3 }),
    retired: fc.option(nodes, { nil: undefined, freq: 3 }),
  }),
  { maxLength: 6 },
);

/** The message made to fit what the replica holds, but for a few entries `back`: most others are refused at once, and reach little. */
function fitting(message: ConsensusMessage, { replica }: Bench, back: number, count: number): ConsensusMessage {
  const held = seqno(Math.max(replica.lastSeqno - back, 0));
  switch (message.type) {
    case "append-entries": {
      const of = view(Math.max(replica.view, 1) + (back % 2));
      return {
        ...message,
        view: of,
        viewOfSeqno: of,
        prevSeqno: held,
        prevView: replica.viewAt(held),
        seqno: seqno(held + count),
      };
    }
    case "append-entries-response":
      return { ...message, view: replica.view, lastSeqno: held };
    case "request-vote":
      return { ...message, view: view(replica.view + 1), viewOfLastCommittableSeqno: replica.view };
    case "request-vote-response":
    case "propose-request-vote":
      return { ...message, view: replica.view };
  }
}

function entriesBehind(
  header: ConsensusMessage,
  parts: readonly { signature: boolean; configuration: NodeId[] | undefined; retired: NodeId[] | undefined }[],
): readonly Entry[] {
  if (header.type !== "append-entries") return [];
  return parts.map(({ signature, configuration, retired }, index) =>
    entry(header.viewOfSeqno, header.prevSeqno + 1 + index, {
      signature,
      ...(configuration !== undefined && { configuration }),
      ...(retired !== undefined && { retired }),
    }),
  );
}

/** The owner's ledger length and commit, kept by the outputs alone. */
class Owner {
  last: number;
  commit: number;
  constructor({ replica }: Bench) {
    this.last = replica.lastSeqno;
    this.commit = replica.commitSeqno;
  }
  carryOut(outputs: readonly Output[]): void {
    for (const output of outputs) {
      if (output.type === "append") {
        expect(output.entries[0]?.seqno).toBe(this.last + 1);
        this.last += output.entries.length;
      }
      if (output.type === "rollback") {
        expect(output.to).toBeGreaterThanOrEqual(this.commit);
        expect(output.to).toBeLessThanOrEqual(this.last);
        this.last = output.to;
      }
      if (output.type === "commit") {
        expect(output.seqno).toBeGreaterThan(this.commit);
        expect(output.seqno).toBeLessThanOrEqual(this.last);
        this.commit = output.seqno;
      }
      if (output.type === "send") expect(output.to).not.toBe(a);
    }
  }
}

const held = log("2 2s 3 3s 3", [a, b, c]);
const starts = {
  backup: () => Bench.restored(a, held, { commit: 2 }),
  "durable backup": () => Bench.restored(a, held, { commit: 2, durability: "durable" }),
  "pre-vote candidate": () => campaigning({ preVote: true }),
  candidate: () => campaigning({}),
  primary: () => Bench.primary(a, held, [b], { commit: 2 }),
  "empty node": () => new Bench(a),
};

function campaigning(options: { preVote?: boolean }): Bench {
  const bench = Bench.restored(a, held, { commit: 2, ...options });
  bench.campaign();
  return bench;
}

describe("nothing a peer sends makes a replica throw, or its outputs disagree with its state", () => {
  test.each(Object.entries(starts))("%s", (_, start) => {
    const back = fc.option(fc.nat(3), { nil: undefined, freq: 2 });
    const tickMs = fc.option(fc.nat(150), { nil: undefined, freq: 4 });
    const input = fc.record({ from, message, payload, back, tickMs });
    fc.assert(
      fc.property(fc.array(input, { minLength: 1, maxLength: 25 }), (inputs) => {
        const bench = start();
        const owner = new Owner(bench);
        bench.outputs = [];
        let { view: before } = bench.replica;
        for (const { from, message: any, payload, back, tickMs } of inputs) {
          const message = back === undefined ? any : fitting(any, bench, back, payload.length);
          owner.carryOut(bench.handle({ type: "message", from, message, entries: entriesBehind(message, payload) }));
          if (tickMs !== undefined) {
            bench.nowMs += tickMs;
            owner.carryOut(bench.handle({ type: "tick" }));
            const token = bench.tokens.at(-1);
            if (token !== undefined) owner.carryOut(bench.handle({ type: "persisted", token }));
          }
          const { replica } = bench;
          expect([replica.lastSeqno, replica.commitSeqno]).toEqual([owner.last, owner.commit]);
          expect(replica.view).toBeGreaterThanOrEqual(before);
          expect(replica.viewAt(replica.lastSeqno)).toBeLessThanOrEqual(replica.view);
          before = replica.view;
        }
      }),
      { numRuns: 150 },
    );
  });
});
