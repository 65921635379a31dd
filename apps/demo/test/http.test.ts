/** The server of the page without nodes: routes, refusals, bounds. */
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { ExchangeRow } from "../src/feed.js";
import { pageApp, servePage } from "../src/http.js";
import { BACKLOG_ROWS_MAX, PAGES_MAX } from "../src/hub.js";
import { fakeControl } from "./fake-control.js";

const PORT = 4600;
const HOST = `127.0.0.1:${PORT}`;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function press(app: ReturnType<typeof pageApp>, path: string, body: unknown, headers: Record<string, string> = {}) {
  return app.request(`http://${HOST}${path}`, {
    method: "POST",
    headers: { host: HOST, origin: `http://${HOST}`, "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

describe("who may press buttons", () => {
  test.each([
    ["another origin", { origin: "https://evil.example" }, 403],
    ["another port of this machine", { origin: "http://127.0.0.1:9999" }, 403],
    ["an opaque origin", { origin: "null" }, 403],
    ["a rebound name", { host: "evil.example:4600", origin: "http://evil.example:4600" }, 403],
    ["a form's content type", { "content-type": "text/plain" }, 415],
  ])("%s is refused and nothing happens", async (_, headers, status) => {
    const control = fakeControl(2);
    const response = await press(pageApp(control, PORT), "/api/nodes/1/kill", {}, headers);
    expect(response.status).toBe(status);
    expect(control.calls).toEqual([]);
  });

  test("a rebound name may not read either", async () => {
    const response = await pageApp(fakeControl(2), PORT).request("http://evil.example/api/cluster", {
      headers: { host: "evil.example" },
    });
    expect(response.status).toBe(403);
  });

  test("this page and a local program may", async () => {
    const control = fakeControl(2);
    const app = pageApp(control, PORT);
    expect((await press(app, "/api/nodes/1/kill", {})).status).toBe(200);
    expect((await press(app, "/api/links", { a: 0, b: 1, cut: true }, { origin: "" })).status).toBe(403);
    const bare = await app.request(`http://${HOST}/api/links`, {
      method: "POST",
      headers: { host: HOST, "content-type": "application/json" },
      body: '{"a":0,"b":1,"cut":true}',
    });
    expect(bare.status).toBe(200);
    expect(control.calls).toEqual(["kill 1", "link 0 1 true"]);
  });
});

describe("bodies", () => {
  test.each([
    ["/api/writes", "{", 400],
    ["/api/writes", "[]", 400],
    ["/api/writes", { via: 2, key: "k", value: 1 }, 400],
    ["/api/writes", { via: "0", key: "k", value: 1 }, 400],
    ["/api/writes", { via: 0, key: "../k", value: 1 }, 400],
    ["/api/writes", { via: 0, key: "k".repeat(257), value: 1 }, 400],
    ["/api/writes", { via: 0, key: "k" }, 400],
    ["/api/writes", { via: 0, key: "k", value: "x".repeat(70_000) }, 413],
    ["/api/links", { a: 0, b: 0, cut: true }, 400],
    ["/api/links", { a: 0, b: 1, cut: "yes" }, 400],
    ["/api/nodes/7/kill", {}, 404],
    ["/api/nodes/0/explode", {}, 404],
    ["/api/nothing", {}, 404],
    ["/api/nodes/0/restart", {}, 409],
  ])("%s with a wrong body is one clear sentence (%#)", async (path, body, status) => {
    const response = await press(pageApp(fakeControl(2), PORT), path, body);
    expect(response.status).toBe(status);
    const answer: unknown = await response.json();
    expect(answer).toEqual({ error: expect.stringMatching(/^[A-Z`].*\.$|characters/) });
    expect(JSON.stringify(answer)).not.toContain("at ");
  });

  test("a good write reaches the control", async () => {
    const control = fakeControl(2);
    const response = await press(pageApp(control, PORT), "/api/writes", {
      via: 1,
      key: "note-1",
      value: { text: "hi" },
    });
    expect(response.status).toBe(202);
    expect(control.calls).toEqual(['write 1 note-1 {"text":"hi"}']);
  });
});

test("no path leaves the page's directory", async () => {
  const app = pageApp(fakeControl(2), PORT);
  for (const path of ["/%2e%2e/main.js", "/..%2fmain.js", "/assets/%2e%2e/%2e%2e/main.js", "/%00", "/%"]) {
    const response = await app.request(`http://${HOST}${path}`, { headers: { host: HOST } });
    expect([400, 404]).toContain(response.status);
  }
});

test("the stream starts with the present state, then carries rows, and is bounded", async () => {
  const control = fakeControl(2);
  const slow = control.hub.open();
  if (slow === undefined) throw new Error("no page");
  const row: Omit<ExchangeRow, "number"> = {
    atMs: 1,
    node: 0,
    peer: 1,
    direction: "sent",
    group: "header",
    what: "append-entries",
    detail: "",
    bytes: 201,
    heartbeat: false,
  };
  for (let i = 0; i < 30; i++)
    control.hub.addRows(
      Array.from({ length: 100 }, () => row),
      0,
    );
  const [cluster, rows] = slow.take();
  expect(cluster?.event).toBe("cluster");
  if (rows?.event !== "rows") throw new Error("rows expected");
  expect(rows.data.rows).toHaveLength(BACKLOG_ROWS_MAX);
  expect(rows.data.dropped).toBe(3_000 - BACKLOG_ROWS_MAX);
  expect(slow.take()).toEqual([]);

  const server = await servePage(control, 0);
  closers.push(
    () => control.hub.end(),
    () => server.close(),
  );
  const response = await fetch(`${server.url}events`);
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("event: rows")) text += (await reader?.read())?.value ?? "";
  expect(text.startsWith("event: cluster\n")).toBe(true);
  await reader?.cancel();
});

test("there is a bound on open pages", async () => {
  const control = fakeControl(2);
  for (let i = 0; i < PAGES_MAX; i++) control.hub.open();
  const response = await pageApp(control, PORT).request(`http://${HOST}/events`, { headers: { host: HOST } });
  expect(response.status).toBe(503);
});

test("a taken port is one clear sentence", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  closers.push(() => other.close());
  const address = other.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  await expect(servePage(fakeControl(2), address.port)).rejects.toThrow(
    `port ${address.port} is taken: choose another with --port`,
  );
});

describe("the ledger explorer's routes", () => {
  const get = (control: ReturnType<typeof fakeControl>, path: string) =>
    pageApp(control, PORT).request(`http://${HOST}/api/nodes/${path}`, { headers: { host: HOST } });

  test("pages, private parts and receipts", async () => {
    const control = fakeControl(2);
    expect(await (await get(control, "1/ledger?from=7&count=20")).json()).toEqual({ entries: [] });
    expect((await get(control, "0/ledger")).status).toBe(200);
    expect(control.calls).toEqual(["ledger 1 7 20", "ledger 0 1 100"]);
    expect(await (await get(control, "0/ledger/7/receipt")).json()).toEqual({ receipt: "{}", serviceCertificate: "" });
    const refused = await get(control, "0/ledger/7/private");
    expect([refused.status, await refused.json()]).toEqual([409, { error: "Node 0 has no entry 7." }]);
  });

  test.each([
    ["2/ledger", 404],
    ["x/ledger", 404],
    ["0/ledger?from=0", 400],
    ["0/ledger?from=-1", 400],
    ["0/ledger?from=1e3", 400],
    ["0/ledger?from=9007199254740993", 400],
    ["0/ledger?count=101", 400],
    ["0/ledger?count=0", 400],
    ["0/ledger/0/receipt", 400],
    ["0/ledger/first/private", 400],
    ["0/ledger/1/keys", 404],
    ["7/ledger/1/receipt", 404],
  ])("%s is refused", async (path, status) => {
    const control = fakeControl(2);
    expect((await get(control, path)).status).toBe(status);
    expect(control.calls).toEqual([]);
  });
});
