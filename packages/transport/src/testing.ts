/** The conformance suite: what every transport must do, whatever carries its bytes. Registers vitest tests. */
import {
  concatBytes,
  equalBytes,
  FRAME_CHANNEL,
  FRAME_CONSENSUS,
  FRAME_FORWARDED,
  FRAME_HEADER_BYTES,
  type NodeId,
} from "@sealane/wire";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type OpenOptions, TestNode, type TransportFactory, type TransportFixture, testId } from "./test-node.js";

export {
  type OpenOptions,
  TestNode,
  type TransportFactory,
  type TransportFixture,
  type TransportUnderTest,
  testId,
} from "./test-node.js";

const [ALICE, BOB, CAROL] = [testId("a"), testId("b"), testId("c")];
/** The two sides of a connection read in different ways. */
const DIALLERS = ["sender", "receiver"];
const KIB = 1024;
const MIB = 1024 * KIB;

export function transportConformance(factory: TransportFactory): void {
  describe(`transport conformance: ${factory.name}`, () => {
    let fixture: TransportFixture;
    let nodes: TestNode[];
    beforeEach(() => {
      fixture = factory.create();
      nodes = [];
    });
    afterEach(async () => {
      await Promise.all(nodes.map((node) => node.transport.close()));
    });

    const open = async (id: NodeId, options?: Partial<OpenOptions>): Promise<TestNode> => {
      const node = await new TestNode(id).open(fixture, options);
      nodes.push(node);
      return node;
    };
    const until = async (condition: () => boolean): Promise<void> => {
      while (!condition()) await fixture.progress();
    };
    /** Alice knows Bob's address and he does not know hers, or the other way round. */
    const pair = async (
      options?: Partial<OpenOptions>,
      dialler = "sender",
    ): Promise<[alice: TestNode, bob: TestNode]> => {
      const alice = await open(ALICE, options);
      const bob = await open(BOB, options);
      if (dialler === "sender") alice.transport.setPeer(BOB, bob.address);
      else bob.transport.setPeer(ALICE, alice.address);
      await until(() => dialler === "sender" || (alice.link(BOB)?.sendsOn ?? "none") !== "none");
      return [alice, bob];
    };
    /** Lets frames from Alice to Bob grow large. */
    const prove = async (alice: TestNode, bob: TestNode): Promise<void> => {
      bob.verdict = () => "authentic";
      alice.transport.send(BOB, FRAME_CONSENSUS, []);
      await until(() => alice.link(BOB)?.carriesLarge === true);
      bob.received.length = 0;
    };

    test("a frame arrives with its type, its sender and its parts joined", async () => {
      const [alice, bob] = await pair();
      const parts = [
        bytes(3, 1),
        bytes(0, 2),
        bytes(9 * KIB, 3),
        bytes(1, 4),
        bytes(8 * KIB, 5),
        bytes(8 * KIB - 1, 6),
      ];
      for (const type of [FRAME_CHANNEL, FRAME_CONSENSUS, FRAME_FORWARDED] as const) {
        expect(alice.transport.send(BOB, type, parts)).toBe(true);
      }
      await until(() => bob.received.length === 3);
      expect(bob.received.map(({ type }) => type)).toEqual([FRAME_CHANNEL, FRAME_CONSENSUS, FRAME_FORWARDED]);
      for (const { from, payload } of bob.received) {
        expect(from).toBe(ALICE);
        expect(equalBytes(payload, concatBytes(...parts))).toBe(true);
      }
    });

    test("a payload may be empty", async () => {
      const [alice, bob] = await pair();
      alice.transport.send(BOB, FRAME_CHANNEL, []);
      alice.transport.send(BOB, FRAME_CONSENSUS, [new Uint8Array(0)]);
      await until(() => bob.received.length === 2);
      expect(bob.received.map(({ payload }) => payload.length)).toEqual([0, 0]);
    });

    test("the handler is given a plain Uint8Array", async () => {
      const alice = await open(ALICE);
      const prototypes: unknown[] = [];
      const bob = await open(BOB, {
        onFrame: ({ payload }) => {
          prototypes.push(Object.getPrototypeOf(payload));
          return "unproven";
        },
      });
      alice.transport.setPeer(BOB, bob.address);
      bob.transport.setPeer(ALICE, alice.address);
      alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(20_000, 1)]);
      alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(20, 1)]);
      await until(() => prototypes.length === 2);
      expect(prototypes.every((prototype) => prototype === Uint8Array.prototype)).toBe(true);
    });

    test.each(DIALLERS)("a link keeps order through frames of every size (the %s dials)", async (dialler) => {
      const [alice, bob] = await pair(undefined, dialler);
      await prove(alice, bob);
      const sizes = [4, 100, 8 * KIB - 1, 8 * KIB, 60 * KIB, 300 * KIB, 5, 64 * KIB, 17];
      const count = 180;
      for (let sent = 0; sent < count; ) {
        const size = sizes[sent % sizes.length] ?? 4;
        if (alice.transport.send(BOB, FRAME_CONSENSUS, [numbered(sent), bytes(size, sent)])) sent++;
        else await fixture.progress();
      }
      await until(() => bob.received.length === count);
      for (const [index, { payload }] of bob.received.entries()) {
        expect(numberOf(payload)).toBe(index);
        expect(payload.length).toBe(4 + (sizes[index % sizes.length] ?? 0));
        expect(payload.at(-1)).toBe(index & 0xff);
      }
    });

    test.each(DIALLERS)("many small frames of one turn all arrive, in order (the %s dials)", async (dialler) => {
      const [alice, bob] = await pair(undefined, dialler);
      await prove(alice, bob);
      const count = 20_000;
      for (let index = 0; index < count; index++)
        alice.transport.send(BOB, FRAME_CONSENSUS, [numbered(index), bytes(12, 0)]);
      await until(() => bob.received.length === count);
      expect(bob.received.findIndex(({ payload }, index) => numberOf(payload) !== index)).toBe(-1);
    });

    test("small parts may be used again after send", async () => {
      const [alice, bob] = await pair();
      const part = bytes(100, 7);
      alice.transport.send(BOB, FRAME_CONSENSUS, [part]); // before there is a connection
      part.fill(0);
      await until(() => bob.received.length === 1);
      part.fill(7);
      alice.transport.send(BOB, FRAME_CONSENSUS, [part]); // on a connection
      part.fill(0);
      await until(() => bob.received.length === 2);
      expect(bob.received.map(({ payload }) => payload)).toEqual([bytes(100, 7), bytes(100, 7)]);
    });

    test("one address is enough for both directions", async () => {
      const [alice, bob] = await pair();
      bob.verdict = ({ payload }) => {
        bob.transport.send(ALICE, FRAME_FORWARDED, [payload]);
        return "unproven";
      };
      alice.transport.send(BOB, FRAME_FORWARDED, [bytes(5, 5)]);
      await until(() => alice.received.length === 1);
      expect(alice.received[0]).toEqual({ from: BOB, type: FRAME_FORWARDED, payload: bytes(5, 5) });
    });

    test("a node that was only dialled can speak first", async () => {
      const [alice, bob] = await pair();
      await until(() => bob.transport.send(ALICE, FRAME_CHANNEL, [bytes(10, 1)]));
      await until(() => alice.received.length === 1);
    });

    test.each(DIALLERS)("a frame over 64 KiB waits for the peer's proof (the %s dials)", async (dialler) => {
      const [alice, bob] = await pair(undefined, dialler);
      const atBound = 64 * KIB - FRAME_HEADER_BYTES;
      expect(alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(atBound + 1, 1)])).toBe(false);
      expect(alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(atBound, 2)])).toBe(true);
      await until(() => bob.received.length === 1);
      expect(alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(atBound + 1, 3)])).toBe(false);
      expect(alice.link(BOB)).toMatchObject({ carriesLarge: false, dropped: { tooLarge: 2 } });
      await prove(alice, bob);
      expect(alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(atBound + 1, 4)])).toBe(true);
      await until(() => bob.received.length === 1);
      expect(bob.received[0]?.payload.length).toBe(atBound + 1);
      expect(bob.happened("authenticated")).toHaveLength(1);
      expect(alice.happened("confirmed")).toHaveLength(1);
    });

    test.each(DIALLERS)("a frame of many MiB arrives whole (the %s dials)", async (dialler) => {
      const [alice, bob] = await pair(undefined, dialler);
      await prove(alice, bob);
      const body = bytes(20 * MIB, 0);
      for (let at = 0; at < body.length; at += 4099) body[at] = at;
      expect(alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(89, 1), body, bytes(3, 2)])).toBe(true);
      alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(2, 9)]);
      await until(() => bob.received.length >= 1);
      const arrived = bob.received[0]?.payload ?? new Uint8Array(0);
      expect(equalBytes(arrived, concatBytes(bytes(89, 1), body, bytes(3, 2)))).toBe(true);
    });

    test("a frame over frameBytesMax is never sent", async () => {
      const [alice, bob] = await pair({ frameBytesMax: 128 * KIB });
      await prove(alice, bob);
      const bound = 128 * KIB - FRAME_HEADER_BYTES;
      expect(alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(bound, 1), bytes(1, 1)])).toBe(false);
      expect(alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(bound, 1)])).toBe(true);
      await until(() => bob.received.length === 1);
    });

    test("a frame over the receiver's bound closes the connection, and the link comes back", async () => {
      const alice = await open(ALICE);
      const bob = await open(BOB, { unprovenFrameBytesMax: KIB });
      alice.transport.setPeer(BOB, bob.address);
      alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(KIB, 1)]);
      await until(() => bob.happened("closed").length === 1 && alice.happened("closed").length === 1);
      expect(bob.happened("frame-refused")).toMatchObject([{ code: "too-large" }]);
      expect(bob.happened("closed")).toMatchObject([{ reason: "frame-refused" }]);
      expect(bob.received).toHaveLength(0);
      alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(100, 1)]);
      await until(() => bob.received.length === 1);
    });

    test("nothing is sent to an unknown peer, to oneself, or to a removed one", async () => {
      const [alice, bob] = await pair();
      expect(alice.transport.send(CAROL, FRAME_CONSENSUS, [bytes(1, 1)])).toBe(false);
      alice.transport.setPeer(ALICE, alice.address);
      expect(alice.transport.send(ALICE, FRAME_CONSENSUS, [bytes(1, 1)])).toBe(false);
      alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(1, 1)]);
      await until(() => bob.received.length === 1);
      alice.transport.setPeer(BOB, undefined);
      expect(alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(1, 1)])).toBe(false);
      await until(() => bob.happened("closed").length > 0);
      expect(alice.happened("closed")).toMatchObject([{ reason: "removed" }]);
      alice.transport.setPeer(BOB, bob.address);
      alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(1, 2)]);
      await until(() => bob.received.length === 2);
    });

    test.each(DIALLERS)(
      "the outgoing buffer is bounded, drops the newest, and recovers (the %s dials)",
      async (dialler) => {
        const bound = 256 * KIB;
        const [alice, bob] = await pair({ bufferBytesMax: bound }, dialler);
        await prove(alice, bob);
        const size = 16 * KIB;
        let accepted = 0;
        while (accepted < 1000 && alice.transport.send(BOB, FRAME_CONSENSUS, [numbered(accepted), bytes(size - 4, 0)]))
          accepted++;
        expect(accepted).toBeGreaterThan(1);
        expect(accepted * size).toBeLessThanOrEqual(bound);
        expect(alice.link(BOB)?.bufferedBytes).toBeLessThanOrEqual(bound);
        expect(alice.link(BOB)?.dropped.bufferFull).toBe(1);
        await until(() => bob.received.length === accepted);
        expect(bob.received.map(({ payload }) => numberOf(payload))).toEqual([...Array(accepted).keys()]);
        await until(() => alice.link(BOB)?.bufferedBytes === 0);
        expect(alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(300 * KIB, 1)])).toBe(true); // fits an empty buffer
        await until(() => bob.received.length === accepted + 1);
      },
    );

    test.each(DIALLERS)(
      "close sends what is queued, delivers nothing more, and can be called again (the %s dials)",
      async (dialler) => {
        const [alice, bob] = await pair(undefined, dialler);
        await prove(alice, bob);
        for (let index = 0; index < 100; index++)
          alice.transport.send(BOB, FRAME_CONSENSUS, [numbered(index), bytes(10 * KIB, 0)]);
        const closed = alice.transport.close();
        expect(alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(1, 1)])).toBe(false);
        bob.transport.send(ALICE, FRAME_CONSENSUS, [bytes(1, 1)]);
        await until(() => bob.received.length === 100);
        await closed;
        await alice.transport.close();
        expect(alice.transport.peers()).toEqual([]);
        expect(alice.received).toHaveLength(0);
        await until(() => bob.happened("closed").length > 0);
        expect(bob.happened("closed")[0]).toMatchObject({ reason: "ended" });
      },
    );

    test("a peer that was restarted is reached again, and has to prove itself again", async () => {
      const [alice, bob] = await pair();
      await prove(alice, bob);
      await bob.transport.close();
      await until(() => alice.happened("closed").length > 0);
      expect(alice.link(BOB)?.carriesLarge).toBe(false);
      const reborn = await open(BOB, { address: bob.address });
      await until(() => {
        alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(8, 8)]);
        return reborn.received.length > 0;
      });
      expect(alice.link(BOB)?.carriesLarge).toBe(false);
      await prove(alice, reborn);
    });

    test("a peer that moved is reached at its new address", async () => {
      const [alice, bob] = await pair();
      alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(1, 1)]);
      await until(() => bob.received.length === 1);
      await bob.transport.close();
      const moved = await open(BOB);
      alice.transport.setPeer(BOB, moved.address);
      await until(() => {
        alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(1, 2)]);
        return moved.received.length > 0;
      });
    });

    test("peers reports links and counts", async () => {
      const [alice, bob] = await pair();
      alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(1, 1)]);
      alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(1, 1)]);
      await until(() => bob.received.length === 2);
      expect(alice.link(BOB)).toMatchObject({ peer: BOB, address: bob.address, dialled: "connected", framesSent: 2 });
      expect(bob.link(ALICE)).toMatchObject({ peer: ALICE, address: undefined, framesReceived: 2 });
      expect(alice.happened("connected")).toHaveLength(1);
    });

    test("a handler may send, remove its peer and close from inside", async () => {
      const [alice, bob] = await pair();
      let closed: Promise<void> | undefined;
      bob.verdict = () => {
        bob.transport.send(ALICE, FRAME_CONSENSUS, [bytes(1, 1)]);
        closed = bob.transport.close();
        return "authentic";
      };
      for (let index = 0; index < 10; index++) alice.transport.send(BOB, FRAME_CONSENSUS, [bytes(1, index)]);
      await until(() => closed !== undefined);
      await until(() => alice.received.length === 1);
      await closed;
      expect(bob.received).toHaveLength(1);
    });
  });
}

/** `length` bytes, all of the low byte of `value`. */
function bytes(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

function numbered(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
}

function numberOf(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
}
