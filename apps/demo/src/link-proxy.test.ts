import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Capture } from "./capture.js";
import { LinkProxy, type LinkProxyOptions } from "./link-proxy.js";

const ALICE = "a".repeat(64);
const BOB = "b".repeat(64);

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** u32 size ‖ u64 type ‖ u64 id length ‖ id ‖ payload. */
function frame(sender: string, payload: string): Buffer {
  const bytes = Buffer.alloc(84 + payload.length);
  bytes.writeUInt32LE(80 + payload.length, 0);
  bytes.writeBigUInt64LE(64n, 12);
  bytes.write(sender, 20, "latin1");
  bytes.write(payload, 84, "latin1");
  return bytes;
}

/** The shortest frame: a size of 1 and one byte. */
const ANSWER = "\x01\0\0\0!";

/** A node that answers every chunk with `ANSWER`. */
async function echoNode(): Promise<{ server: Server; port: number; received: () => string }> {
  let received = "";
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      socket.write(ANSWER, "latin1");
    });
    closers.push(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { server, port: address.port, received: () => received };
}

async function proxied(options: Partial<LinkProxyOptions>): Promise<LinkProxy> {
  const proxy = await LinkProxy.open({ listener: 1, port: 0, targetPort: 1, ...options });
  closers.push(() => proxy.close());
  return proxy;
}

async function dial(proxy: LinkProxy): Promise<Socket> {
  const [host, port] = proxy.address.split(":");
  const socket = connect({ host: String(host), port: Number(port) });
  socket.on("error", () => socket.destroy());
  closers.push(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

const closed = (socket: Socket) => (socket.destroyed ? Promise.resolve() : once(socket, "close"));

test("bytes pass both ways, however the first frame is split", async () => {
  const node = await echoNode();
  const proxy = await proxied({ targetPort: node.port });
  const socket = await dial(proxy);
  const bytes = frame(ALICE, "hello");
  socket.setNoDelay(true);
  socket.write(bytes.subarray(0, 50));
  socket.write(bytes.subarray(50));
  const [answer] = await once(socket, "data");
  expect(String(answer).startsWith(ANSWER)).toBe(true);
  expect(node.received()).toBe(bytes.toString("latin1"));
});

test("the capture holds both directions, names the dialler, and stops at its bound", async () => {
  const node = await echoNode();
  const capture = new Capture(105);
  const proxy = await proxied({ targetPort: node.port, capture });
  const socket = await dial(proxy);
  const bytes = frame(ALICE, "hello");
  socket.write(bytes);
  await once(socket, "data");
  const streams = capture.streams.map((s) => [
    s.dialler,
    s.listener,
    s.direction,
    Buffer.concat(s.chunks).toString("latin1"),
  ]);
  expect(streams).toContainEqual([ALICE, 1, "to-listener", bytes.toString("latin1")]);
  expect(streams).toContainEqual([ALICE, 1, "to-dialler", ANSWER]);
  expect(capture.truncated).toBe(false);
  socket.write("x".repeat(20));
  await once(socket, "data");
  expect(capture.truncated).toBe(true);
  expect(capture.bytes).toBeLessThanOrEqual(105);
});

test("drop breaks the connections of one dialler only, and a refused dialler gets nothing", async () => {
  const node = await echoNode();
  const cut = new Set<string>();
  const proxy = await proxied({ targetPort: node.port, admits: (dialler) => !cut.has(dialler) });
  const alice = await dial(proxy);
  const bob = await dial(proxy);
  alice.write(frame(ALICE, "1"));
  await once(alice, "data");
  bob.write(frame(BOB, "2"));
  await once(bob, "data");
  expect(proxy.connections).toBe(2);

  cut.add(ALICE);
  proxy.drop(ALICE);
  await closed(alice);
  const again = await dial(proxy);
  again.write(frame(ALICE, "3"));
  await closed(again);
  bob.write("4");
  await once(bob, "data");
  expect(node.received()).not.toContain("3");

  cut.delete(ALICE);
  const healed = await dial(proxy);
  healed.write(frame(ALICE, "5"));
  await once(healed, "data");
});

test("a dialler is let go when the node behind the proxy is down", async () => {
  const node = await echoNode();
  await new Promise((resolve) => node.server.close(resolve));
  const proxy = await proxied({ targetPort: node.port });
  const socket = await dial(proxy);
  socket.write(frame(ALICE, "x"));
  await closed(socket);
  expect(proxy.connections).toBe(0);
});

test("mutate sees whole frames and decides what passes", async () => {
  const node = await echoNode();
  const seen: number[] = [];
  const proxy = await proxied({
    targetPort: node.port,
    mutate: ({ frame: bytes, direction }) => {
      if (direction !== "to-listener") return undefined;
      seen.push(bytes.length);
      const changed = Uint8Array.from(bytes);
      changed[84] = "Z".charCodeAt(0);
      return changed;
    },
  });
  const socket = await dial(proxy);
  socket.write(Buffer.concat([frame(ALICE, "one"), frame(ALICE, "second").subarray(0, 30)]));
  socket.write(frame(ALICE, "second").subarray(30));
  await once(socket, "data");
  while (seen.length < 2) await once(socket, "data");
  expect(seen).toEqual([87, 90]);
  expect(node.received()).toContain("Zne");
});

test("a taken port is one clear sentence", async () => {
  const node = await echoNode();
  await expect(LinkProxy.open({ listener: 0, port: node.port, targetPort: 1 })).rejects.toThrow(
    `port ${node.port} on 127.0.0.1 is taken`,
  );
});
