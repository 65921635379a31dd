import { FRAME_CONSENSUS, type NodeId } from "@sealane/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DELIVERIES_PER_ADVANCE_MAX, type InMemoryNetwork, inMemoryNetwork } from "./memory-network.js";
import { testId } from "./testing.js";
import type { LinkEvent, Transport } from "./transport.js";

const [A, B, C] = [testId("a"), testId("b"), testId("c")];

/** A small seeded generator (mulberry32): uniform in [0, 1). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Arrival {
  readonly at: number;
  readonly from: NodeId;
  readonly number: number;
}

class Node {
  readonly arrivals: Arrival[] = [];
  readonly events: LinkEvent[] = [];
  readonly transport: Transport;
  constructor(network: InMemoryNetwork, self: NodeId) {
    this.transport = network.transport({
      self,
      onFrame: ({ from, payload }) => {
        this.arrivals.push({ at: network.nowMs, from, number: payload[0] ?? -1 });
        return "unproven";
      },
      onLink: (event) => this.events.push(event),
    });
  }
  get numbers(): number[] {
    return this.arrivals.map(({ number }) => number);
  }
  send(to: NodeId, ...numbers: number[]): boolean[] {
    return numbers.map((number) => this.transport.send(to, FRAME_CONSENSUS, [Uint8Array.of(number)]));
  }
}

function three(seed = 1): { network: InMemoryNetwork; a: Node; b: Node; c: Node } {
  const network = inMemoryNetwork({ random: seeded(seed) });
  return { network, a: new Node(network, A), b: new Node(network, B), c: new Node(network, C) };
}

const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test("nothing arrives before it is due, and time goes only forward", () => {
  const { network, a, b } = three();
  network.setFaults({ delayMs: [5, 5] });
  network.advance(100);
  a.send(B, 1);
  expect(network.nextDueMs).toBe(105);
  expect(network.advance(104)).toBe(0);
  expect(network.advance(105)).toBe(1);
  expect(b.arrivals).toEqual([{ at: 105, from: A, number: 1 }]);
  expect(network.nextDueMs).toBeUndefined();
  expect(() => network.advance(104)).toThrow(RangeError);
  expect(() => network.advance(Number.NaN)).toThrow(RangeError);
});

test("one seed gives one run; another seed another", () => {
  const run = (seed: number): unknown => {
    const { network, a, b, c } = three(seed);
    network.setFaults({ loss: 0.2, duplicate: 0.2, reorder: 0.3, delayMs: [1, 20] });
    for (let now = 1; now <= 100; now++) {
      a.send(B, now);
      b.send(C, now);
      c.send(A, now);
      network.advance(now);
    }
    network.advance(1000);
    return [a, b, c].map(({ arrivals }) => arrivals);
  };
  expect(run(7)).toEqual(run(7));
  expect(run(7)).not.toEqual(run(8));
});

test("without reordering a link keeps order whatever the delays", () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat({ max: 50 }), (seed, maxMs) => {
      const { network, a, b } = three(seed);
      network.setFaults({ delayMs: [0, maxMs], loss: 0.1 });
      for (let now = 1; now <= 60; now++) {
        network.advance(now);
        a.send(B, now);
      }
      network.advance(1000);
      expect(b.numbers).toEqual(b.numbers.toSorted((x, y) => x - y));
    }),
  );
});

test("faults happen about as often as they are set", () => {
  const { network, a, b, c } = three(3);
  const count = 200;
  network.setFaults({ loss: 0.25 });
  a.send(B, ...oneTo(count));
  network.setFaults({ loss: 0, duplicate: 0.5 });
  a.send(C, ...oneTo(count));
  network.advance(100);
  expect(b.arrivals.length).toBeGreaterThan(count * 0.6);
  expect(b.arrivals.length).toBeLessThan(count * 0.9);
  expect(c.arrivals.length).toBeGreaterThan(count * 1.35);
  expect(c.arrivals.length).toBeLessThan(count * 1.65);
  expect(new Set(c.numbers).size).toBe(count);

  network.setFaults({ duplicate: 0, reorder: 0.5 });
  b.arrivals.length = 0;
  a.send(B, ...oneTo(count));
  network.advance(300);
  expect(b.numbers).not.toEqual(oneTo(count));
  expect(b.numbers.toSorted((x, y) => x - y)).toEqual(oneTo(count));
});

test.each([
  { loss: 1.1 },
  { loss: -0.1 },
  { duplicate: Number.NaN },
  { reorder: 2 },
  { delayMs: [2, 1] as const },
  { delayMs: [-1, 1] as const },
])("refuses %j", (faults) => {
  expect(() => three().network.setFaults(faults)).toThrow(RangeError);
});

test("a cut loses what is in flight and what is sent, until it is healed", () => {
  const { network, a, b } = three();
  a.send(B, 1);
  network.cut(A, B);
  expect(a.send(B, 2)).toEqual([true]); // lost without notice, as on a real network
  b.send(A, 2);
  network.advance(10);
  network.heal(A, B);
  network.advance(20);
  expect([...a.arrivals, ...b.arrivals]).toEqual([]);
  a.send(B, 3);
  b.send(A, 3);
  network.advance(30);
  expect([a.numbers, b.numbers]).toEqual([[3], [3]]);
  expect(a.events.map(({ type }) => type)).toContain("closed");
});

test("a one-way cut lets the other way pass", () => {
  const { network, a, b } = three();
  network.cut(A, B, "one-way");
  a.send(B, 1);
  b.send(A, 1);
  network.advance(10);
  expect([a.numbers, b.numbers]).toEqual([[1], []]);
  network.cut(A, B);
  network.heal(A, B, "one-way");
  a.send(B, 2);
  b.send(A, 2);
  network.advance(20);
  expect([a.numbers, b.numbers]).toEqual([[1], [2]]);
});

test("a partition separates groups, leaves the rest alone, and is replaced or healed as a whole", () => {
  const { network, a, b, c } = three();
  const everyone = (number: number): void => {
    for (const node of [a, b, c]) {
      node.arrivals.length = 0;
      for (const to of [A, B, C]) if (to !== [A, B, C][[a, b, c].indexOf(node)]) node.send(to, number);
    }
    network.advance(network.nowMs + 10);
  };
  const heard = (): NodeId[][] => [a, b, c].map(({ arrivals }) => arrivals.map(({ from }) => from).toSorted());
  network.partition([[A], [B, C]]);
  everyone(1);
  expect(heard()).toEqual([[], [C], [B]]);
  network.partition([[A], [B]]);
  everyone(2);
  expect(heard()).toEqual([[C], [C], [A, B]]);
  network.heal();
  everyone(3);
  expect(heard()).toEqual([
    [B, C],
    [A, C],
    [A, B],
  ]);
});

test("a crash loses what is in flight both ways; closing lets arrive what was sent", () => {
  const { network, a, b, c } = three();
  a.send(B, 1);
  b.send(A, 1);
  network.crash(A);
  network.crash(A); // nothing left to crash
  expect(a.send(B, 2)).toEqual([false]);
  expect(b.send(A, 2)).toEqual([false]);
  c.send(B, 3);
  void c.transport.close();
  network.advance(10);
  expect(b.numbers).toEqual([3]);
  const reborn = new Node(network, A);
  b.send(A, 4);
  network.advance(20);
  expect(reborn.numbers).toEqual([4]);
  expect(a.arrivals).toEqual([]);
});

test("an id can be taken once at a time", () => {
  const { network } = three();
  expect(() => new Node(network, A)).toThrow(expect.objectContaining({ name: "TransportError", code: "id-in-use" }));
});

test("nodes know each other unless told otherwise", () => {
  const { network, a, b } = three();
  a.transport.setPeer(B, undefined);
  expect(b.send(A, 1)).toEqual([true]); // B can still dial
  b.transport.setPeer(A, undefined);
  expect(b.send(A, 2)).toEqual([false]);
  a.transport.setPeer(B, "anywhere");
  expect(b.send(A, 3)).toEqual([true]);
  network.advance(10);
  expect(a.numbers).toContain(3);
});

test("a payload is overwritten after the handler returned, and duplicates do not share it", () => {
  const network = inMemoryNetwork({ random: () => 0 });
  const kept: Uint8Array[] = [];
  const inside: number[][] = [];
  const a = new Node(network, A);
  network.transport({
    self: B,
    onFrame: ({ payload }) => {
      inside.push([...payload]);
      kept.push(payload);
      return "unproven";
    },
  });
  network.setFaults({ duplicate: 1 });
  a.send(B, 5);
  network.advance(10);
  expect(inside).toEqual([[5], [5]]);
  expect(kept.map((payload) => [...payload])).toEqual([[0xdb], [0xdb]]);
});

test("nodes that answer each other without delay do not hang advance", () => {
  const network = inMemoryNetwork({ random: () => 0 });
  network.setFaults({ delayMs: [0, 0] });
  const open = (self: NodeId, peer: NodeId): Transport => {
    const transport: Transport = network.transport({
      self,
      onFrame: () => {
        transport.send(peer, FRAME_CONSENSUS, []);
        return "unproven";
      },
    });
    return transport;
  };
  open(B, A);
  open(A, B).send(B, FRAME_CONSENSUS, []);
  expect(network.advance(1)).toBe(DELIVERIES_PER_ADVANCE_MAX);
  expect(network.nextDueMs).toBe(0);
});

test("a handler that throws is heard, and advance is not for handlers", () => {
  const network = inMemoryNetwork({ random: () => 0 });
  const a = new Node(network, A);
  network.transport({
    self: B,
    onFrame: () => {
      network.advance(100);
      return "unproven";
    },
  });
  a.send(B, 1);
  expect(() => network.advance(10)).toThrow(TypeError);
  expect(network.advance(20)).toBe(0); // and goes on
});
