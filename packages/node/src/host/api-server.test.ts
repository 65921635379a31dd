import { connect, type TLSSocket } from "node:tls";
import { createSelfSigned, pemEncode } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { expect, it, onTestFinished } from "vitest";
import { type ApiHandler, ApiServer } from "./api-server.js";

const keyPair = suite.generateKeyPair("P-384");
const times = { notBefore: new Date("2025-01-01"), notAfter: new Date("2035-01-01") };
const certificate = createSelfSigned(suite, keyPair, { name: "node", hosts: ["127.0.0.1"], ...times });
const identity = {
  certificate: pemEncode("CERTIFICATE", certificate),
  privateKey: pemEncode("PRIVATE KEY", suite.exportPrivateKey(keyPair.privateKey)),
};

async function serving(handler: ApiHandler, sendTimeoutMs?: number) {
  const server = await ApiServer.listen({ host: "127.0.0.1", port: 0 }, identity, handler, sendTimeoutMs);
  onTestFinished(() => server.close(0));
  const socket: TLSSocket = connect({ host: "127.0.0.1", port: server.port, ca: identity.certificate });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {}); // cut off
  await new Promise((resolve) => socket.on("secureConnect", resolve));
  return { server, socket };
}

it("cuts off a client that takes nothing of a long answer", async () => {
  let begin: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const { server, socket } = await serving(async () => {
    begin();
    return { status: 200, body: new Uint8Array(64 * 1024 * 1024) };
  }, 50);
  socket.pause();
  socket.write("GET /tx HTTP/1.1\r\nhost: a\r\n\r\n");
  await asked;
  await server.close(600_000); // resolves once no connection is left
});

it("tells whoever reads for a client that it went away, and only then", async () => {
  const signals: AbortSignal[] = [];
  let next: (signal: AbortSignal) => void = () => {};
  const aborted = new Promise<AbortSignal>((resolve) => {
    next = resolve;
  });
  const { socket } = await serving((request, gone) => {
    if (gone !== undefined) signals.push(gone);
    if (request.path === "/answered") return Promise.resolve({ status: 200, body: new Uint8Array(2) });
    gone?.addEventListener("abort", () => next(gone));
    socket.destroy();
    return new Promise(() => {});
  });
  const answered = new Promise((resolve) => socket.once("data", resolve));
  socket.write("GET /answered HTTP/1.1\r\nhost: a\r\n\r\n");
  await answered;
  socket.write("GET /never HTTP/1.1\r\nhost: a\r\n\r\n");
  expect(await aborted).toBe(signals[1]);
  expect(signals.map((signal) => signal.aborted)).toEqual([false, true]);
});
