import { expect, test } from "vitest";
import { type Client, ClientError, type ClientOptions, createClient } from "../src/index.js";
import { committed, refusal, Script, type Step } from "./scripted.js";

const A = "https://a.example:8001";
const B = "https://b.example:8001";
const NODE = "0".repeat(64);

function clientOf(script: Script, options: Partial<ClientOptions> = {}): Client {
  return createClient({ urls: [A, B], fetch: script.fetch, clock: script.clock, random: () => 0.5, ...options });
}

async function failure(script: Script, work: Promise<unknown>): Promise<ClientError> {
  try {
    await script.clock.run(work);
  } catch (error) {
    if (error instanceof ClientError) return error;
    throw error;
  }
  throw new Error("expected a ClientError");
}

test("put sends the value and returns the transaction", async () => {
  const script = new Script(committed("2.7"));
  const answer = await script.clock.run(clientOf(script).put("ship-1", { name: "Vega" }));
  expect(answer).toEqual({ txId: "2.7", status: "committed", created: true });
  expect(script.seen).toEqual([
    { url: `${A}/records/ship-1`, method: "PUT", body: '{"value":{"name":"Vega"}}', atMs: 0 },
  ]);
  expect(script.clock.timers).toBe(0); // nothing is left that would keep a process alive
});

test("get, status, state, network and ballot ask what the API offers", async () => {
  const script = new Script(
    { status: 200, json: { key: "k", value: [1], txId: "2.3" } },
    { status: 200, json: { txId: "2.3", status: "pending" } },
  );
  const client = clientOf(script);
  expect(await script.clock.run(client.get("k"))).toEqual({ key: "k", value: [1], txId: "2.3" });
  expect(await script.clock.run(client.status("2.3"))).toBe("pending");
  for (const ask of [() => client.state(), () => client.network()])
    expect((await failure(script, ask())).code).toBe("bad-answer");
  const ballot = { action: { type: "trust-node", nodeId: NODE as never }, memberId: NODE, signature: "AA==" } as const;
  expect((await failure(script, client.ballot(ballot))).code).toBe("bad-answer");
  expect(script.urls).toEqual(
    ["/records/k", "/tx/2.3", "/node/state", "/node/network", "/governance/ballots"].map((path) => A + path),
  );
  expect(script.seen.at(-1)?.body).toBe(JSON.stringify(ballot));
});

test("a node that cannot be reached is passed over at once, and remembered", async () => {
  const script = new Script(new TypeError("fetch failed"), committed("2.1"), committed("2.2"));
  const client = clientOf(script);
  await script.clock.run(client.put("a", 1));
  await script.clock.run(client.put("b", 1));
  expect(script.urls).toEqual([`${A}/records/a`, `${B}/records/a`, `${B}/records/b`]);
  expect(script.seen.map(({ atMs }) => atMs)).toEqual([0, 0, 0]);
});

test("retryable refusals are retried with growing waits once every node has refused", async () => {
  const noQuorum = refusal("no-quorum", 503, true);
  const script = new Script(noQuorum, noQuorum, noQuorum, noQuorum, noQuorum, noQuorum, committed("4.9"));
  await script.clock.run(clientOf(script).put("k", 1));
  expect(script.urls.map((url) => url.slice(0, A.length))).toEqual([A, B, A, B, A, B, A]);
  // Three quarters (random is 0.5) of 50, 100 and 200 ms.
  expect(script.seen.map(({ atMs }) => atMs)).toEqual([0, 0, 37.5, 37.5, 112.5, 112.5, 262.5]);
});

test("a retried put sends the same bytes", async () => {
  const script = new Script(new TypeError("reset"), refusal("timeout", 503, true, "2.4"), committed("2.4", false));
  const answer = await script.clock.run(clientOf(script).put("k", { b: 1, a: 2 }));
  expect(answer).toEqual({ txId: "2.4", status: "committed", created: false });
  expect(new Set(script.seen.map(({ body }) => body))).toEqual(new Set(['{"value":{"b":1,"a":2}}']));
});

test.each([
  ["malformed", 400],
  ["not-found", 404],
  ["too-large", 413],
  ["forbidden", 403],
])("%s is final", async (code, status) => {
  const script = new Script(refusal(code, status, false));
  const error = await failure(script, clientOf(script).get("k"));
  expect(error).toMatchObject({ code, status, retryable: false, message: `scripted ${code}` });
  expect(script.seen.length).toBe(1);
});

test("at the deadline the call fails with the last reason a node gave", async () => {
  const script = new Script(refusal("no-quorum", 503, true, "2.8"));
  const error = await failure(script, clientOf(script).put("k", 1, { timeoutMs: 5_000 }));
  expect(error).toMatchObject({ code: "no-quorum", retryable: true, txId: "2.8", status: 503 });
  expect(script.clock.nowMs()).toBeLessThanOrEqual(5_000);
  expect(script.clock.nowMs()).toBeGreaterThan(3_000);
});

test("an attempt cut short by the deadline does not hide the reason before it", async () => {
  const script = new Script(refusal("no-primary", 503, true), "hang");
  const error = await failure(script, clientOf(script, { timeoutMs: 1_000 }).get("k"));
  expect(error.code).toBe("no-primary");
  expect(script.clock.nowMs()).toBe(1_000);
});

test("a node that never answers is given up and the next one asked", async () => {
  const script = new Script("hang", committed("2.1"));
  await script.clock.run(clientOf(script, { attemptTimeoutMs: 2_000 }).put("k", 1));
  expect(script.seen.map(({ url, atMs }) => [url.slice(0, A.length), atMs])).toEqual([
    [A, 0],
    [B, 2_000],
  ]);
});

test("a service that never answers is a timeout", async () => {
  const script = new Script("hang");
  const error = await failure(script, clientOf(script, { timeoutMs: 3_000 }).get("k"));
  expect(error).toMatchObject({ code: "timeout", retryable: true });
  expect(script.clock.nowMs()).toBe(3_000);
});

test.each<[string, Step]>([
  ["during an attempt", "hang"],
  ["during a wait", refusal("overloaded", 503, true)],
])("the caller's signal ends a call %s", async (_when, step) => {
  const script = new Script(step);
  const controller = new AbortController();
  const work = clientOf(script).put("k", 1, { signal: controller.signal });
  script.clock.after(10, () => controller.abort("enough"));
  const error = await failure(script, work);
  expect(error).toMatchObject({ code: "aborted", retryable: false, cause: "enough" });
  expect(script.clock.nowMs()).toBe(10);
  expect(script.clock.timers).toBe(0);
});

test("a signal that is aborted already sends nothing", async () => {
  const script = new Script(committed("2.1"));
  const error = await failure(script, clientOf(script).get("k", { signal: AbortSignal.abort() }));
  expect([error.code, script.seen.length]).toEqual(["aborted", 0]);
});

test("an error the caller calls fatal is not retried", async () => {
  const script = new Script(new TypeError("certificate"));
  const error = await failure(script, clientOf(script, { isFatal: () => true }).get("k"));
  expect(error).toMatchObject({ code: "untrusted", retryable: false, cause: new TypeError("certificate") });
  expect(script.seen.length).toBe(1);
});

test("an answer that is not the API's is refused, and retried only from 500 on", async () => {
  const wrong: Step[] = [
    { status: 200, text: "<html>" },
    { status: 200, json: { txId: "2.1", status: "committed" } },
    { status: 200, json: { txId: "x", status: "committed", created: true } },
    { status: 404, text: "no such page" },
    { status: 302, text: "" },
  ];
  for (const step of wrong) {
    const script = new Script(step);
    const error = await failure(script, clientOf(script).put("k", 1));
    expect([error.code, error.retryable, script.seen.length]).toEqual(["bad-answer", false, 1]);
  }
  const script = new Script({ status: 502, text: "bad gateway" }, committed("2.1"));
  await script.clock.run(clientOf(script).put("k", 1));
  expect(script.seen.length).toBe(2);
});

test("put waits itself for a commit that the node left pending", async () => {
  const pending = { status: 202, json: { txId: "2.5", status: "pending", created: true } };
  const script = new Script(
    pending,
    { status: 200, json: { txId: "2.5", status: "pending" } },
    { status: 200, json: { txId: "2.5", status: "committed" } },
  );
  expect(await script.clock.run(clientOf(script).put("k", 1))).toEqual({
    txId: "2.5",
    status: "committed",
    created: true,
  });
  expect(script.urls.map((url) => url.slice(A.length))).toEqual(["/records/k", "/tx/2.5", "/tx/2.5"]);
});

test("put with commit async does not wait", async () => {
  const script = new Script({ status: 202, json: { txId: "2.5", status: "pending", created: true } });
  const answer = await script.clock.run(clientOf(script).put("k", 1, { commit: "async" }));
  expect(answer.status).toBe("pending");
  expect(script.urls).toEqual([`${A}/records/k?commit=async`]);
});

test("get asks for the newest value, unless it may be old", async () => {
  const record = { status: 200, json: { key: "k", value: 1, txId: "2.5" } };
  const script = new Script(record, record);
  await script.clock.run(clientOf(script).get("k"));
  await script.clock.run(clientOf(script).get("k", { consistency: "serializable" }));
  expect(script.urls).toEqual([`${A}/records/k`, `${A}/records/k?consistency=serializable`]);
});

test("put writes anew what was rolled back", async () => {
  const script = new Script(
    { status: 202, json: { txId: "2.5", status: "pending", created: true } },
    { status: 200, json: { txId: "2.5", status: "invalid" } },
    committed("4.5"),
  );
  expect(await script.clock.run(clientOf(script).put("k", 1))).toEqual({
    txId: "4.5",
    status: "committed",
    created: true,
  });
});

test("waitForCommit ends in committed, lost or timeout", async () => {
  const status = (text: string): Step => ({ status: 200, json: { txId: "2.5", status: text } });
  const good = new Script(status("unknown"), status("pending"), status("committed"));
  await good.clock.run(clientOf(good).waitForCommit("2.5"));
  const lost = new Script(status("pending"), status("invalid"));
  expect(await failure(lost, clientOf(lost).waitForCommit("2.5"))).toMatchObject({ code: "lost", txId: "2.5" });
  const slow = new Script(status("pending"));
  const error = await failure(slow, clientOf(slow).waitForCommit("2.5", { timeoutMs: 4_000 }));
  expect(error).toMatchObject({ code: "timeout", retryable: true, txId: "2.5" });
  const gone = new Script(new TypeError("reset"));
  expect(await failure(gone, clientOf(gone).waitForCommit("2.5"))).toMatchObject({ code: "unreachable", txId: "2.5" });
});

test("what cannot be asked is refused before anything is sent", async () => {
  const script = new Script(committed("2.1"));
  const client = clientOf(script);
  const loop: unknown[] = [];
  loop.push(loop);
  const calls = [
    ...["", ".", "..", "a/b", "ä", "x".repeat(257)].map((key) => () => client.get(key)),
    ...[undefined, 1n, loop, () => 1].map((value) => () => client.put("k", value)),
    ...["", "2", "2.x", "-1.2", "2.1/../x"].map((txId) => () => client.status(txId)),
    () => client.get("k", { timeoutMs: 0 }),
    () => client.get("k", { timeoutMs: Number.NaN }),
  ];
  for (const call of calls)
    expect(await failure(script, call())).toMatchObject({ code: "malformed", retryable: false });
  expect(script.seen).toEqual([]);
});

test("urls are https origins, and bounded in number", () => {
  const wrong = [
    [],
    ["http://a"],
    ["a:8001"],
    ["https://a/path"],
    ["https://a?x"],
    ["https://u:p@a"],
    Array(65).fill(A),
  ];
  for (const urls of wrong) {
    expect(() => createClient({ urls, fetch: new Script().fetch })).toThrow(
      expect.objectContaining({ code: "malformed" }),
    );
  }
  createClient({ urls: Array(64).fill(`${A}/`), fetch: new Script().fetch });
});

test("a call that failed late does not lead the others back to a node that failed", async () => {
  const C = "https://c.example:8001";
  const reset = new TypeError("reset");
  const script = new Script("hang", reset, reset, committed("2.1"));
  const client = clientOf(script, { urls: [A, B, C], attemptTimeoutMs: 2_000 });
  await script.clock.run(Promise.all([client.put("late", 1), client.put("k", 1)]));
  expect(script.urls).toEqual([
    `${A}/records/late`,
    `${A}/records/k`,
    `${B}/records/k`,
    `${C}/records/k`,
    `${C}/records/late`,
  ]);
});

const C = "https://c.example:8001";

function network(...nodes: readonly [address: string, status: "trusted" | "retired"][]): Step {
  const certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const records = nodes.map(([address, status], index) => ({
    id: `${index}`.repeat(64),
    status,
    nodeAddress: "n.example:7001",
    apiAddress: address,
  }));
  const json = {
    serviceCertificate: certificate,
    view: 2,
    primary: null,
    primaryApi: null,
    nodes: records,
    members: [],
    ledgerSecretSeqno: 1,
  };
  return { status: 200, json };
}

test("a client that follows outlives the nodes it was given", async () => {
  const gone = new TypeError("refused");
  const script = new Script(committed("2.1"), network(["a.example:8001", "retired"], ["c.example:8001", "trusted"]));
  const client = clientOf(script, { urls: [A], follow: true });
  await script.clock.run(client.put("a", 1));
  await script.clock.run(Promise.resolve()); // what it learned is in
  script.goOn(gone, committed("3.1"), network(["c.example:8001", "trusted"]));
  await script.clock.run(client.put("b", 1));
  expect(script.urls).toEqual([
    `${A}/records/a`,
    `${A}/node/network`,
    `${A}/records/b`,
    `${C}/records/b`,
    `${C}/node/network`,
  ]);
});

test("a node that was only heard of does not end a call by its certificate, and one that was given does", async () => {
  const untrusted = new Error("certificate");
  const isFatal = (error: unknown): boolean => error === untrusted;
  const script = new Script(committed("2.1"), network(["c.example:8001", "trusted"]));
  const client = clientOf(script, { urls: [A], follow: true, isFatal });
  await script.clock.run(client.put("a", 1));
  script.goOn(new TypeError("refused"), untrusted, committed("3.1"), network());
  await script.clock.run(client.put("b", 1));
  expect(script.urls.slice(2)).toEqual([`${A}/records/b`, `${C}/records/b`, `${A}/records/b`, `${A}/node/network`]);
  script.goOn(untrusted);
  expect((await failure(script, client.put("c", 1))).code).toBe("untrusted");
});
