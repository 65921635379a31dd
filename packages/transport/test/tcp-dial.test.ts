/** Listening, dialling, and everything that can go wrong with either. */
import { FRAME_CHANNEL, FRAME_CONSENSUS } from "@sealane/wire";
import { expect, test } from "vitest";
import { TransportError } from "../src/index.js";
import { tcp } from "../src/tcp.js";
import { testId } from "../src/testing.js";
import { frameBytes, TcpWorld, until } from "./tcp-world.js";

const [ALICE, BOB] = [testId("a"), testId("b")];
const HELLO = Uint8Array.of(1, 2, 3);
const world = new TcpWorld();

const listenAt = (host: string, port: number): Promise<unknown> =>
  tcp({ self: ALICE, listen: { host, port }, onFrame: () => "unproven" });

test("a taken port is address-in-use, with a sentence that says what to do", async () => {
  const bob = await world.node(BOB);
  const port = Number(bob.address.split(":")[1]);
  const failure = await listenAt("127.0.0.1", port).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(TransportError);
  expect(failure).toMatchObject({ code: "address-in-use", cause: { code: "EADDRINUSE" } });
  expect(String(failure)).toContain(`127.0.0.1:${port} is already in use`);
});

test.each([
  ["a port out of range", "127.0.0.1", 65_536],
  ["a port that is no number", "127.0.0.1", Number.NaN],
  ["an empty host", "", 0],
  ["an address of another machine", "192.0.2.1", 0],
])("listening on %s is bad-address", async (_, host, port) => {
  await expect(listenAt(host, port)).rejects.toMatchObject({ name: "TransportError", code: "bad-address" });
});

test("a bound that is not positive is refused", async () => {
  const options = { self: ALICE, listen: { host: "127.0.0.1", port: 0 }, onFrame: () => "unproven" as const };
  await expect(tcp({ ...options, frameBytesMax: 0 })).rejects.toBeInstanceOf(RangeError);
  await expect(tcp({ ...options, keepaliveMs: Number.NaN })).rejects.toBeInstanceOf(RangeError);
});

test.each(["", "nowhere", "host:", "127.0.0.1:99999", "http://x:1/"])("setPeer refuses %j", async (address) => {
  const alice = await world.node(ALICE);
  expect(() => alice.transport.setPeer(BOB, address)).toThrow(expect.objectContaining({ code: "bad-address" }));
  expect(alice.transport.peers()).toEqual([]);
});

test("a peer that is down is dialled again and again, and reached when it comes up", async () => {
  const alice = await world.node(ALICE);
  const address = await world.deadAddress();
  alice.transport.setPeer(BOB, address);
  expect(alice.transport.send(BOB, FRAME_CONSENSUS, [HELLO])).toBe(true);
  await until(() => alice.happened("closed").length >= 3);
  expect(alice.happened("closed")[0]).toMatchObject({
    peer: BOB,
    reason: "dial-failed",
    cause: { code: "ECONNREFUSED" },
  });
  expect(alice.link(BOB)?.dropped.noPath).toBe(1); // what waited was lost with the first attempt
  const port = Number(address.split(":")[1]);
  const bob = await world.node(BOB, { listen: { host: "127.0.0.1", port } });
  await until(() => alice.happened("connected").length === 1);
  alice.transport.send(BOB, FRAME_CONSENSUS, [HELLO]);
  await until(() => bob.received.length === 1);
});

test("an attempt to dial is given up at its deadline", async () => {
  const alice = await world.node(ALICE, { dialTimeoutMs: 1 });
  const listener = await world.listener();
  alice.transport.setPeer(BOB, listener.address);
  // Stand in for a slow network: keep the event loop from seeing the connection until the deadline is past.
  const startMs = performance.now();
  while (performance.now() - startMs < 3);
  await until(() => alice.happened("closed").length >= 1);
  expect(alice.happened("closed")[0]).toMatchObject({ reason: "dial-timeout" });
});

test("frames for a peer that is being dialled wait within a bound", async () => {
  const alice = await world.node(ALICE, { bufferBytesMax: 10_000 });
  const bob = await world.node(BOB);
  alice.transport.setPeer(BOB, bob.address);
  const results = Array.from({ length: 12 }, () => alice.transport.send(BOB, FRAME_CONSENSUS, [new Uint8Array(1000)]));
  expect(results.filter(Boolean)).toHaveLength(9);
  expect(alice.link(BOB)).toMatchObject({ dialled: "dialling", dropped: { bufferFull: 3 } });
  await until(() => bob.received.length === 9);
});

test("a connection that breaks is dialled again", async () => {
  const alice = await world.node(ALICE);
  const listener = await world.listener();
  alice.transport.setPeer(BOB, listener.address);
  await until(() => listener.accepted.length === 1);
  listener.accepted[0]?.socket.resetAndDestroy();
  await until(() => listener.accepted.length === 2);
  expect(alice.happened("closed")[0]).toMatchObject({ reason: "failed", cause: { code: "ECONNRESET" } });
  listener.accepted[1]?.socket.end();
  await until(() => listener.accepted.length === 3);
  expect(alice.happened("closed")[1]).toMatchObject({ reason: "ended" });
});

test("a handler that throws costs the connection and says why", async () => {
  const alice = await world.node(ALICE);
  const failure = new Error("the handler has a bug");
  alice.verdict = () => {
    throw failure;
  };
  const raw = await world.dial(alice);
  raw.socket.write(
    new Uint8Array([...frameBytes(FRAME_CHANNEL, BOB, HELLO), ...frameBytes(FRAME_CHANNEL, BOB, HELLO)]),
  );
  await until(() => raw.closed);
  expect(alice.happened("closed")).toMatchObject([{ reason: "handler-failed", cause: failure }]);
  expect(alice.received).toHaveLength(1);
});

test("close ends within its deadline although a peer does not read", async () => {
  const alice = await world.node(ALICE, { closeTimeoutMs: 20, bufferBytesMax: 64 * 1024 * 1024 });
  alice.verdict = () => "authentic";
  const raw = await world.dial(alice);
  raw.frame(FRAME_CHANNEL, BOB, HELLO);
  await until(() => alice.link(BOB)?.accepted === "authentic");
  raw.socket.pause();
  for (let index = 0; index < 800; index++) alice.transport.send(BOB, FRAME_CONSENSUS, [new Uint8Array(60_000)]);
  expect(alice.link(BOB)?.bufferedBytes).toBeGreaterThan(0);
  await alice.transport.close();
  expect(alice.transport.peers()).toEqual([]);
});

test("close while a peer is being dialled leaves nothing behind", async () => {
  const alice = await world.node(ALICE);
  const listener = await world.listener();
  alice.transport.setPeer(BOB, listener.address);
  await alice.transport.close();
  alice.transport.setPeer(BOB, listener.address);
  expect(alice.happened("closed")).toMatchObject([{ reason: "closing" }]);
  expect(alice.transport.peers()).toEqual([]);
});
