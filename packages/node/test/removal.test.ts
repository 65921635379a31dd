import { describe, expect, it } from "vitest";
import { startNode } from "../src/index.js";
import { call, found, joinAs, joined, joinPending, remove, trust, WatchedNode } from "./support.js";

const isOnRecord = ({ node }: WatchedNode, id: string): boolean =>
  node.state().nodes.some((record) => record.id === id && record.retiredCommitted === true);

/** Waits until the service says of a node that it may be switched off. */
function removed(of: WatchedNode, id: string): Promise<void> {
  return of.until(() => isOnRecord(of, id));
}

/** A node takes part a moment before the primary has it on record, and until then the primary is not let go. */
async function removeOnceOthersTakePart(primary: WatchedNode): Promise<void> {
  for (;;) {
    const reply = await remove(primary, primary.node.nodeId);
    if (reply.status === 200) return;
    expect(reply).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringContaining("taken part yet") } },
    });
  }
}

describe("a node that is removed", () => {
  it("says so, answers nothing else, and does not come back, neither from its directory nor by joining", async () => {
    const primary = await found();
    const leaver = await joined(primary);
    const { nodeId, keys } = leaver.node;
    await primary.until(() => leaver.node.state().committed === primary.node.state().committed);
    expect(await remove(primary, nodeId)).toMatchObject({ status: 200, body: { status: "accepted" } });
    await leaver.node.retired;
    await removed(primary, nodeId);

    expect(await call(leaver.node, "GET", "/node/state")).toMatchObject({ body: { phase: "retired", role: "none" } });
    const refused = { status: 503, body: { error: { code: "retired", retryable: true } } };
    expect(await call(leaver.node, "PUT", "/records/a", { value: 1 })).toMatchObject(refused);
    expect(await call(leaver.node, "GET", "/records/a")).toMatchObject(refused);
    expect(await call(primary.node, "PUT", "/records/a", { value: 1 })).toMatchObject({ status: 200 });

    await leaver.node.stop();
    const again = startNode({ dataDir: leaver.dir, service: { type: "resume" } });
    await expect(again).rejects.toMatchObject({ code: "retired", message: expect.stringContaining(nodeId) });
    expect(await joinAs(primary, keys.keyPair)).toMatchObject({ status: 409, body: { error: { code: "conflict" } } });
    expect(await trust(primary, nodeId)).toMatchObject({ status: 409, body: { error: { code: "conflict" } } });
  });

  it("while it is down learns so from the others' API when it is back, and not a third time", async () => {
    const founder = await found();
    const [, leaver] = [await joined(founder), await joined(founder)];
    const { nodeId } = leaver.node;
    await founder.until(() => leaver.node.state().committed === founder.node.state().committed);
    await leaver.node.stop();
    expect(await remove(founder, nodeId)).toMatchObject({ status: 200 });
    await removed(founder, nodeId);
    const resume = { dataDir: leaver.dir, service: { type: "resume" }, electionTimeoutMs: 500 } as const;
    const back = await WatchedNode.start(resume);
    await back.node.retired;
    expect(back.node.state()).toMatchObject({ phase: "retired", role: "none" });
    await back.node.stop();
    await expect(startNode(resume)).rejects.toMatchObject({ code: "retired" });
  });

  it("is refused while it is the only one", async () => {
    const primary = await found();
    expect(await remove(primary, primary.node.nodeId)).toMatchObject({
      status: 409,
      body: { error: { code: "conflict" } },
    });
  });

  it("may be the founder and primary: its successor leads at once, and takes the ballots from then on", async () => {
    const founder = await found();
    const [second, third] = [await joined(founder), await joined(founder)];
    expect(await call(founder.node, "PUT", "/records/kept", { value: 1 })).toMatchObject({ status: 200 });
    await removeOnceOthersTakePart(founder);
    await founder.node.retired;
    await founder.node.stop();
    const leads = ({ node }: WatchedNode): boolean => node.state().role === "primary";
    await Promise.race([second.until(() => leads(second)), third.until(() => leads(third))]);
    const [leader, other] = leads(second) ? [second, third] : [third, second];
    expect(await call(leader.node, "PUT", "/records/new", { value: 2 })).toMatchObject({ status: 200 });
    expect(await call(leader.node, "GET", "/records/kept")).toMatchObject({ body: { value: 1 } });
    const fourth = await joinPending(leader);
    await expect(call(leader.node, "GET", "/node/network")).resolves.toMatchObject({ status: 200 });
    expect(await remove(founder, fourth.node.nodeId, leader)).toMatchObject({ status: 200 }); // turned away, while pending
    await expect(fourth.node.closed).rejects.toMatchObject({ code: "join-refused" });
    expect(await remove(founder, other.node.nodeId, leader)).toMatchObject({ status: 200 });
    await other.node.retired;
    expect(await call(leader.node, "PUT", "/records/alone", { value: 3 })).toMatchObject({ status: 200 });
  });
});

describe("a node that waits to be trusted", () => {
  it("goes on waiting under the same id after a restart, and needs no second ballot", async () => {
    const primary = await found();
    const joiner = await joinPending(primary);
    await joiner.node.stop();
    const accepted = trust(primary, joiner.node.nodeId); // commits only with the joiner's help
    const returned = await WatchedNode.start({ dataDir: joiner.dir, service: { type: "resume" } });
    expect(returned.node.nodeId).toBe(joiner.node.nodeId);
    await returned.node.ready;
    expect(await accepted).toMatchObject({ status: 200, body: { status: "accepted" } });
  });
});
