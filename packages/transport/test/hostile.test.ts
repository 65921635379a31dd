/** Bytes that no node of ours would send, on raw sockets: a typed refusal or a deadline, never a crash, and good peers go on. */
import { concatBytes, encodeFrameHeader, FRAME_CHANNEL, utf8 } from "@sealane/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type TestNode, testId } from "../src/testing.js";
import { frameBytes, type RawPeer, TcpWorld, until } from "./tcp-world.js";

const [ALICE, BOB, CAROL] = [testId("a"), testId("b"), testId("c")];
const world = new TcpWorld();

/** A good frame with some bytes of it changed. */
function tampered(change: (frame: Uint8Array) => void): Uint8Array {
  const frame = frameBytes(FRAME_CHANNEL, BOB, Uint8Array.of(1, 2, 3));
  change(frame);
  return frame;
}

async function stillWorks(alice: TestNode): Promise<void> {
  const before = alice.received.length;
  const good = await world.dial(alice);
  good.frame(FRAME_CHANNEL, CAROL, Uint8Array.of(1));
  await until(() => alice.received.length === before + 1);
}

const overBound = encodeFrameHeader(FRAME_CHANNEL, BOB, 64 * 1024 - 84 + 1);
const refused: [name: string, bytes: Uint8Array, code: string][] = [
  ["a size of 2^32 - 1", Uint8Array.of(0xff, 0xff, 0xff, 0xff), "too-large"],
  ["a frame one byte over 64 KiB", overBound, "too-large"],
  ["a size of 0", Uint8Array.of(0, 0, 0, 0), "truncated"],
  ["a size that has no room for the head", tampered((frame) => frame.set([79, 0, 0, 0])), "truncated"],
  ["an unknown frame type", tampered((frame) => frame.set([3], 4)), "unknown-kind"],
  ["a frame type of 2^64 - 1", tampered((frame) => frame.fill(0xff, 4, 12)), "malformed"],
  ["an id of another length", tampered((frame) => frame.set([63], 12)), "malformed"],
  ["an id length of 2^64 - 1", tampered((frame) => frame.fill(0xff, 12, 20)), "malformed"],
  ["an id that is not hex", tampered((frame) => frame.set(utf8("g"), 20)), "malformed"],
  ["an id in upper case", tampered((frame) => frame.set(utf8("A"), 83)), "malformed"],
  ["an id with bytes above 127", tampered((frame) => frame.set([0xe1], 50)), "malformed"],
  ["an HTTP request", utf8(`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n${" ".repeat(100)}`), "too-large"],
  ["a TLS hello", concatBytes(Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3), new Uint8Array(100)), "too-large"],
];

test.each(refused)("%s closes the connection with a code", async (_, bytes, code) => {
  const alice = await world.node(ALICE);
  const raw = await world.dial(alice);
  raw.socket.write(bytes);
  await until(() => raw.closed);
  expect(alice.happened("frame-refused")).toMatchObject([{ code, peer: undefined }]);
  expect(alice.happened("closed")).toMatchObject([{ reason: "frame-refused" }]);
  expect(alice.received).toHaveLength(0);
  await stillWorks(alice);
});

test.each(refused)("%s is refused behind a good frame, and on a connection we dialled", async (_, bytes, code) => {
  const alice = await world.node(ALICE);
  const listener = await world.listener();
  alice.transport.setPeer(BOB, listener.address);
  await until(() => listener.accepted.length === 1);
  listener.accepted[0]?.socket.write(concatBytes(frameBytes(FRAME_CHANNEL, BOB, Uint8Array.of(9)), bytes));
  await until(() => alice.happened("closed").length === 1);
  expect(alice.happened("frame-refused")).toMatchObject([{ code, peer: BOB }]);
  expect(alice.received).toHaveLength(1);
  await until(() => listener.accepted.length === 2); // and dialled again
});

test("any bytes leave the transport able to work", async () => {
  const alice = await world.node(ALICE);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (garbage) => {
      const raw = await world.dial(alice);
      raw.socket.end(garbage);
      await until(() => raw.closed);
    }),
    { numRuns: 50 },
  );
  await stillWorks(alice);
});

test("a head that comes byte by byte and then stops is given up after ten periods", async () => {
  const alice = await world.node(ALICE, { keepaliveMs: 5 });
  const raw = await world.dial(alice);
  for (const byte of encodeFrameHeader(FRAME_CHANNEL, BOB, 10).subarray(0, 83)) raw.socket.write(Uint8Array.of(byte));
  await until(() => raw.closed);
  expect(alice.happened("closed")).toMatchObject([{ reason: "silent", peer: undefined }]);
});

test("a frame that never ends is given up although bytes trickle in", async () => {
  const alice = await world.node(ALICE, { keepaliveMs: 5 });
  const raw = await world.dial(alice);
  raw.socket.write(encodeFrameHeader(FRAME_CHANNEL, BOB, 60_000));
  await until(() => {
    if (!raw.closed && raw.socket.writable) raw.socket.write(Uint8Array.of(0));
    return raw.closed;
  });
  expect(alice.happened("closed")).toMatchObject([{ reason: "silent" }]);
  expect(alice.received).toHaveLength(0);
});

test("a connection that ends or is reset in the middle of a frame leaves nothing", async () => {
  const alice = await world.node(ALICE);
  const part = frameBytes(FRAME_CHANNEL, BOB, new Uint8Array(1000)).subarray(0, 500);
  const ended = await world.dial(alice);
  ended.socket.end(part);
  await until(() => alice.happened("closed").length === 1);
  const reset = await world.dial(alice);
  reset.socket.write(part);
  await until(() => alice.happened("accepted").length === 2);
  reset.socket.resetAndDestroy();
  await until(() => alice.happened("closed").length === 2);
  expect(alice.received).toHaveLength(0);
  expect(alice.transport.peers()).toEqual([]);
  await stillWorks(alice);
});

test("a peer that resets while frames are written to it makes no noise", async () => {
  const alice = await world.node(ALICE);
  const raw = await world.dial(alice);
  raw.frame(FRAME_CHANNEL, BOB, Uint8Array.of(1));
  await until(() => alice.received.length === 1);
  raw.socket.resetAndDestroy();
  await until(() => {
    alice.transport.send(BOB, FRAME_CHANNEL, [new Uint8Array(50_000)]);
    return alice.happened("closed").length === 1;
  });
  await stillWorks(alice);
});

test("hundreds of connections that say nothing are held down to the bound", async () => {
  const alice = await world.node(ALICE);
  const raws: RawPeer[] = [];
  for (let index = 0; index < 200; index++) raws.push(await world.dial(alice));
  await until(() => raws.filter(({ closed }) => closed).length === 200 - 64);
  await stillWorks(alice);
});

test("ids that were only claimed leave no trace", async () => {
  const alice = await world.node(ALICE);
  for (let index = 0; index < 20; index++) {
    const raw = await world.dial(alice);
    raw.frame(FRAME_CHANNEL, testId((index % 10).toString()), Uint8Array.of(1));
    raw.socket.end();
    await until(() => raw.closed);
  }
  await until(() => alice.happened("closed").length === 20);
  expect(alice.transport.peers()).toEqual([]);
});
