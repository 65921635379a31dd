/** The Node process of the example without a browser: a noble end over a real WebSocket, and those who are turned away. */
import { nobleSuite } from "@sealane/crypto";
import { base64 } from "@sealane/wire";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { CHANNEL_PATH, ENDORSEMENTS_PATH, parseEndorsement } from "../src/bridge-messages.js";
import { ChannelEnd, type EndEvent } from "../src/channel-end.js";
import { nodeIdOf } from "../src/identity.js";
import { serveBridge } from "../src/server.js";

const SLOW_MS = 15_000;

test("a noble end and the process's native one establish a channel, and a ping is answered", async () => {
  const url = await start();
  const keyPair = nobleSuite.generateKeyPair("P-384");
  const endorsement = parseEndorsement(await (await ask(url, base64(keyPair.publicKey.spki))).json());
  const socket = await opened(url, nodeIdOf(nobleSuite, keyPair));
  const events: EndEvent[] = [];
  const theirs: EndEvent[] = [];
  const end = new ChannelEnd({
    suite: nobleSuite,
    keyPair,
    endorsement,
    send: (frame) => socket.send(frame),
    observe: (event) => events.push(event),
  });
  onTestFinished(() => end.close());
  socket.on("message", (data, isBinary) => {
    if (isBinary)
      end.receive(new Uint8Array(data as Buffer)); // ws gives a Buffer unless told otherwise
    else theirs.push(JSON.parse(String(data)) as EndEvent); // our own server's
  });
  end.initiate();
  await expect.poll(() => stateOf(theirs), { timeout: SLOW_MS }).toBe("ESTABLISHED");
  await expect.poll(() => stateOf(events), { timeout: SLOW_MS }).toBe("ESTABLISHED");

  end.ping("across");
  socket.send(JSON.stringify({ ping: "and back" }));
  const [pong, ping] = [
    { type: "opened", kind: "pong", number: 1, text: "across" },
    { type: "opened", kind: "ping", number: 1, text: "and back" },
  ];
  await expect.poll(() => events, { timeout: SLOW_MS }).toEqual(expect.arrayContaining([pong, ping]));
  expect(theirs).toContainEqual({ type: "opened", kind: "ping", number: 1, text: "across" });
  expect(JSON.stringify(theirs.filter(({ type }) => type === "sealed"))).not.toContain("across");

  socket.send(new Uint8Array(3)); // no frame at all: refused, and the channel goes on
  end.ping("still here");
  await expect
    .poll(() => events, { timeout: SLOW_MS })
    .toContainEqual({ type: "opened", kind: "pong", number: 2, text: "still here" });
  expect(theirs).toContainEqual({ type: "refused", code: "truncated" });
});

test("a key that is none is not endorsed", async () => {
  const url = await start();
  for (const publicKey of ["", "AAAA", "no base64"]) expect((await ask(url, publicKey)).status).toBe(400);
});

test("another site, an unknown node and another path are turned away", async () => {
  const url = await start();
  const key = base64(nobleSuite.generateKeyPair("P-384").publicKey.spki);
  expect((await ask(url, key, "http://example.org")).status).toBe(403);
  await expect(opened(url, "0".repeat(64))).rejects.toThrow("403");
  expect((await fetch(`${url}../src/main.ts`)).status).toBe(404);
  expect((await fetch(`${url}%2e%2e/main.js`)).status).toBe(404);
});

async function start(): Promise<string> {
  const server = await serveBridge(0);
  onTestFinished(() => server.close());
  return server.url;
}

function ask(url: string, publicKey: string, origin?: string): Promise<Response> {
  const headers = { "content-type": "application/json", ...(origin === undefined ? {} : { origin }) };
  return fetch(new URL(ENDORSEMENTS_PATH, url), { method: "POST", headers, body: JSON.stringify({ publicKey }) });
}

function opened(url: string, node: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace("http:", "ws:")}${CHANNEL_PATH.slice(1)}?node=${node}`);
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(socket));
    socket.on("error", reject);
  });
}

function stateOf(events: readonly EndEvent[]): string | undefined {
  const last = events.findLast((event) => event.type === "state");
  return last?.state.state;
}
