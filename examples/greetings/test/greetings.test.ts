/** The whole application over HTTPS: written, read back, refused, and still there after a restart. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NodeOptions, type RunningNode, startNode } from "@sealane/node";
import { Agent, fetch } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { greetingsApp } from "../src/app.js";

test("a greeting is committed, read back, counted and taken back", async () => {
  const node = await start(await temporaryDir(), "new");

  const written = await call(node, "PUT", "/greetings/ada", { text: "Good morning" });
  expect(written).toMatchObject({ status: 200, body: { status: "committed", name: "ada", changes: 1 } });
  await call(node, "PUT", "/greetings/ada", { text: "Good evening" });

  expect(await call(node, "GET", "/greetings/ada")).toEqual({
    status: 200,
    body: { name: "ada", text: "Good evening", changes: 2 },
  });
  expect(await call(node, "GET", "/greetings")).toEqual({ status: 200, body: { names: ["ada"] } });

  expect(await call(node, "DELETE", "/greetings/ada")).toMatchObject({ status: 200, body: { status: "committed" } });
  expect(await call(node, "GET", "/greetings/ada")).toMatchObject({
    status: 404,
    body: { error: { code: "not-found" } },
  });
});

test("what does not fit is refused in one sentence, and nothing is written", async () => {
  const node = await start(await temporaryDir(), "new");
  const refused = { status: 400, body: { error: { code: "malformed", retryable: false } } };
  expect(await call(node, "PUT", "/greetings/ada", { text: "" })).toMatchObject(refused);
  expect(await call(node, "PUT", "/greetings/a%20b", { text: "Hello" })).toMatchObject(refused);
  expect(await call(node, "GET", "/greetings")).toMatchObject({ body: { names: [] } });
});

test("a node that is started again in its directory has everything", async () => {
  const dataDir = await temporaryDir();
  const first = await start(dataDir, "new");
  await call(first, "PUT", "/greetings/grace", { text: "Ahoy" });
  await first.stop();

  const again = await start(dataDir, "resume");
  await again.ready;
  expect(again.nodeId).toBe(first.nodeId);
  await expect
    .poll(() => call(again, "GET", "/greetings/grace"), { timeout: 10_000 })
    .toMatchObject({ status: 200, body: { text: "Ahoy" } });
});

async function temporaryDir(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "greetings-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function start(dataDir: string, type: "new" | "resume"): Promise<RunningNode> {
  const options: NodeOptions = { app: greetingsApp, dataDir, service: { type } };
  const node = await startNode({ ...options, electionTimeoutMs: 800, heartbeatMs: 50 });
  onTestFinished(() => node.stop());
  return node;
}

/** Calls the node and trusts no certificate but its service's. */
async function call(node: RunningNode, method: string, path: string, body?: unknown): Promise<object> {
  const dispatcher = new Agent({ connect: { ca: node.serviceCertificate ?? "" } });
  try {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(node.apiUrl + path, { method, ...init, dispatcher });
    return { status: response.status, body: await response.json() };
  } finally {
    await dispatcher.close();
  }
}
