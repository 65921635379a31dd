import { describe, expect, it } from "vitest";
import { ballot, call, found, joinAs, joinPending, pair, trust, upload } from "./support.js";

describe("a service of one", () => {
  it("answers a write once it is committed, and reads it back", async () => {
    const { node } = await found();
    const written = await call(node, "PUT", "/records/ship", { value: { name: "Vega" } });
    expect(written).toMatchObject({ status: 200, body: { status: "committed", created: true } });
    expect(await call(node, "GET", "/records/ship")).toMatchObject({ status: 200, body: { value: { name: "Vega" } } });
  });

  it("answers the same write again with the transaction that did it", async () => {
    const { node } = await found();
    const first = await call(node, "PUT", "/records/ship", { value: 1 });
    const second = await call(node, "PUT", "/records/ship", { value: 1 });
    expect(second.body).toEqual({ ...(first.body as object), created: false });
    expect(await call(node, "PUT", "/records/ship", { value: 2 })).toMatchObject({ body: { created: false } });
    expect(await call(node, "GET", "/records/ship")).toMatchObject({ body: { value: 2 } });
  });

  it("answers before it has all of a body that is too large, announced or not, and goes on listening", async () => {
    const { node } = await found();
    const tooLarge = { status: 413, body: { error: { code: "too-large" } } };
    expect(await upload(node, "/records/a", 3_000_000, "announced")).toMatchObject(tooLarge);
    expect(await upload(node, "/records/a", 3_000_000, "in chunks")).toMatchObject(tooLarge);
    expect(await call(node, "PUT", "/records/a", { value: 1 })).toMatchObject({ status: 200 });
  });

  it("tells the status of transactions", async () => {
    const { node } = await found();
    const { body } = await call(node, "PUT", "/records/a", { value: 1 });
    const { txId } = body as { txId: string };
    expect(await call(node, "GET", `/tx/${txId}`)).toMatchObject({ status: 200, body: { txId, status: "committed" } });
    expect(await call(node, "GET", "/tx/2.99999")).toMatchObject({ body: { status: "unknown" } });
    expect(await call(node, "GET", "/tx/1.1")).toMatchObject({ body: { status: "invalid" } });
  });

  it.each([
    ["GET", "/records/none", undefined, 404, "not-found"],
    ["GET", "/nowhere", undefined, 404, "not-found"],
    ["DELETE", "/records/a", undefined, 405, "method-not-allowed"],
    ["PUT", "/records/a", "{", 400, "malformed"],
    ["PUT", "/records/a", {}, 400, "malformed"],
    ["PUT", "/records/a", { value: 1, more: 2 }, 400, "malformed"],
    ["PUT", "/records/%zz", { value: 1 }, 400, "malformed"],
    ["PUT", "/records/a%2Fb", { value: 1 }, 400, "malformed"],
    ["PUT", `/records/${"k".repeat(257)}`, { value: 1 }, 400, "malformed"],
    ["PUT", "/records/a", { value: "x".repeat(1_100_000) }, 413, "too-large"],
    ["GET", "/tx/x.y", undefined, 400, "malformed"],
    ["POST", "/node/join", { publicKey: 1 }, 400, "malformed"],
    ["POST", "/governance/ballots", { action: "x" }, 400, "malformed"],
  ])("refuses %s %s with one sentence", async (method, path, body, status, code) => {
    const { node } = await found();
    const reply = await call(node, method, path, body);
    expect(reply).toMatchObject({ status, body: { error: { code, retryable: false } } });
    expect((reply.body as { error: { message: string } }).error.message).toMatch(/^[A-Z].*\.$/);
  });
});

describe("joining", () => {
  it("gives a node that nobody has trusted no channel and no data", async () => {
    const primary = await found();
    const joiner = await joinPending(primary);
    expect(joiner.node.state()).toMatchObject({ phase: "pending", lastSeqno: 0, channels: [] });
    expect(primary.node.state().channels).toEqual([]);
    expect(await call(primary.node, "PUT", "/records/a", { value: 1 })).toMatchObject({ status: 200 });
  });

  it("counts only ballots that a member signed for this very service and node", async () => {
    const primary = await found();
    const other = await found();
    const joiner = await joinPending(primary);
    const id = joiner.node.nodeId;
    const refused = { status: 403, body: { error: { code: "forbidden" } } };
    const cast = async (body: object) => call(primary.node, "POST", "/governance/ballots", body);
    expect(await cast(await ballot(other, id))).toMatchObject(refused);
    expect(await cast(await ballot(primary, id, other))).toMatchObject(refused);
    const forged = { ...(await ballot(primary, id)), action: { type: "trust-node", nodeId: other.node.nodeId } };
    expect(await cast(forged)).toMatchObject(refused);
    expect(await trust(primary, other.node.nodeId)).toMatchObject({
      status: 404,
      body: { error: { code: "not-found" } },
    });
    expect(joiner.node.state().phase).toBe("pending");
    expect(await trust(primary, id)).toMatchObject({ status: 200, body: { status: "accepted" } });
    await joiner.node.ready;
    expect(await trust(primary, id)).toMatchObject({ status: 200, body: { status: "accepted" } });
  });

  it("tells the service's secrets to a trusted node until it takes part, and never again", async () => {
    const { primary, backup } = await pair();
    await primary.until(() => backup.node.state().committed === primary.node.state().committed);
    const { keyPair } = backup.node.keys;
    const again = await joinAs(primary, keyPair);
    expect(again).toMatchObject({ status: 409, body: { error: { code: "conflict" } } });
    expect(JSON.stringify(again.body)).not.toContain("PRIVATE KEY");
  });

  it("refuses to record a key that the client does not hold", async () => {
    const primary = await found();
    const other = await found();
    const { publicKey } = other.node.keys.keyPair;
    const body = {
      publicKey: Buffer.from(publicKey.spki).toString("base64"),
      nodeAddress: "127.0.0.1:1",
      apiAddress: "127.0.0.1:2",
    };
    expect(await call(primary.node, "POST", "/node/join", body)).toMatchObject({
      status: 403,
      body: { error: { code: "forbidden" } },
    });
  });
});

describe("a pair", () => {
  it("establishes the channel in both directions", async () => {
    const { primary, backup } = await pair();
    for (const { node } of [primary, backup]) {
      expect(node.state().channels).toMatchObject([{ state: "ESTABLISHED", open: true }]);
    }
  });

  it("commits a write made at the backup, forwarded encrypted", async () => {
    const { primary, backup } = await pair();
    expect(await call(backup.node, "PUT", "/records/b", { value: "x" })).toMatchObject({
      status: 200,
      body: { status: "committed" },
    });
    expect(await call(primary.node, "GET", "/records/b")).toMatchObject({ body: { value: "x" } });
    const { committed } = primary.node.state();
    await backup.until(() => backup.node.state().committed === committed);
    expect(await call(backup.node, "GET", "/records/b")).toMatchObject({ body: { value: "x" } });
    expect(backup.events).toContainEqual(
      expect.objectContaining({ type: "forwarded", what: "command", direction: "sent" }),
    );
  });

  it("hands a client's mistake back through the backup", async () => {
    const { backup } = await pair();
    expect(await call(backup.node, "PUT", "/records/b", { value: 1, more: 2 })).toMatchObject({
      status: 400,
      body: { error: { code: "malformed" } },
    });
  });

  it("answers a write at once when asked to, and tells its status later", async () => {
    const { primary } = await pair();
    const { body } = await call(primary.node, "PUT", "/records/c?commit=async", { value: 1 });
    expect(body).toMatchObject({ status: "pending" });
    const { txId } = body as { txId: string };
    await primary.until(() => Number(primary.node.state().committed.split(".")[1]) >= Number(txId.split(".")[1]));
    expect(await call(primary.node, "GET", `/tx/${txId}`)).toMatchObject({ body: { status: "committed" } });
  });
});
