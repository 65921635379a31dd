/** What only a simulation does to the in-memory network: resets in mid-frame, bandwidth, nodes that stand still, somebody on the wire. */
import { FRAME_CONSENSUS, FRAME_FORWARDED } from "@sealane/wire";
import { expect, test } from "vitest";
import { type InMemoryNetwork, inMemoryNetwork } from "./memory-network.js";
import { testId } from "./testing.js";
import type { LinkEvent, Transport } from "./transport.js";

const [A, B] = [testId("a"), testId("b")];

interface Side {
  readonly transport: Transport;
  readonly got: { readonly at: number; readonly from: string; readonly bytes: readonly number[] }[];
  readonly events: LinkEvent[];
}

function pair(): { network: InMemoryNetwork; a: Side; b: Side } {
  const network = inMemoryNetwork({ random: () => 0.5 });
  const side = (self: typeof A): Side => {
    const got: Side["got"] = [];
    const events: LinkEvent[] = [];
    const transport = network.transport({
      self,
      onFrame: ({ from, payload }) => {
        got.push({ at: network.nowMs, from, bytes: [...payload] });
        return "unproven";
      },
      onLink: (event) => events.push(event),
    });
    return { transport, got, events };
  };
  return { network, a: side(A), b: side(B) };
}

const send = ({ transport }: Side, to: typeof A, ...bytes: number[]): boolean =>
  transport.send(to, FRAME_CONSENSUS, [Uint8Array.from(bytes)]);

test("a reset in mid-frame loses that frame and all behind it, and both ends notice", () => {
  const { network, a, b } = pair();
  send(a, B, 1);
  network.setFaults({ reset: 1 });
  send(a, B, 2);
  network.setFaults({ reset: 0 });
  send(a, B, 3);
  network.advance(10);
  expect(b.got.map(({ bytes }) => bytes)).toEqual([[1]]);
  expect(network.counts.reset).toBe(1);
  for (const { events } of [a, b]) expect(events).toContainEqual(expect.objectContaining({ type: "closed" }));
  send(a, B, 4);
  network.advance(20);
  expect(b.got.at(-1)?.bytes).toEqual([4]);
});

test("bandwidth: a frame takes its length, and those behind it wait for it", () => {
  const { network, a, b } = pair();
  network.setFaults({ bytesPerMs: 10, delayMs: [0, 0] });
  a.transport.send(B, FRAME_CONSENSUS, [new Uint8Array(200)]);
  a.transport.send(B, FRAME_CONSENSUS, [new Uint8Array(200)]);
  network.advance(1_000);
  const [first, second] = b.got;
  expect(first?.at).toBeGreaterThan(20);
  expect(second?.at).toBe(2 * (first?.at ?? 0));
});

test("a node that stands still gets nothing, and then everything in order; its senders' buffers fill", () => {
  const { network, a, b } = pair();
  network.hold(B);
  send(a, B, 1);
  send(a, B, 2, 2);
  network.advance(50);
  expect(b.got).toEqual([]);
  expect(a.transport.peers()[0]?.bufferedBytes).toBe(3);
  network.release(B);
  network.advance(51);
  expect(b.got.map(({ bytes }) => bytes)).toEqual([[1], [2, 2]]);
  expect(a.transport.peers()[0]?.bufferedBytes).toBe(0);
});

test("a cut while a node stands still loses what waits for it", () => {
  const { network, a, b } = pair();
  network.hold(B);
  send(a, B, 1);
  network.advance(5);
  network.cut(A, B);
  network.heal(A, B);
  network.release(B);
  network.advance(10);
  expect(b.got).toEqual([]);
});

test("an adversary changes, repeats and makes up frames, but crosses no cut", () => {
  const { network, a, b } = pair();
  network.setAdversary((frame) => [
    { ...frame, payload: Uint8Array.of(9), delayMs: 0 },
    { from: B, to: A, type: FRAME_FORWARDED, payload: frame.payload, delayMs: 30 },
  ]);
  send(a, B, 1);
  network.advance(10);
  expect(b.got.map(({ bytes }) => bytes)).toEqual([[9]]);
  expect(a.got).toEqual([]);
  network.advance(40);
  expect(a.got).toEqual([{ at: 31, from: B, bytes: [1] }]);
  network.cut(A, B);
  send(a, B, 2);
  network.advance(100);
  expect(b.got).toHaveLength(1);
  network.setAdversary(undefined);
  network.heal();
  send(a, B, 3);
  network.advance(200);
  expect(b.got.at(-1)?.bytes).toEqual([3]);
});

test("refuses faults that make no sense", () => {
  const { network } = pair();
  expect(() => network.setFaults({ reset: 2 })).toThrow(RangeError);
  expect(() => network.setFaults({ bytesPerMs: 0 })).toThrow(RangeError);
});
