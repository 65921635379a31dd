/** Which connections a pair keeps and uses: the rule of `src/tcp/route.ts`, seen from outside. */
import { FRAME_CHANNEL, FRAME_CONSENSUS, FRAME_FORWARDED, type NodeId } from "@sealane/wire";
import { expect, test } from "vitest";
import { encodeLinkFrame } from "../src/tcp/link-frame.js";
import { type TestNode, testId } from "../src/testing.js";
import { type RawPeer, TcpWorld, until } from "./tcp-world.js";

const [ALICE, BOB, CAROL] = [testId("a"), testId("b"), testId("c")];
const HELLO = Uint8Array.of(1, 2, 3);
const world = new TcpWorld();

const closedReasons = (node: TestNode): string[] =>
  node.events.flatMap((event) => (event.type === "closed" ? [event.reason] : []));

/** A verdict that trusts frames whose payload starts with 0xaa: the test's stand-in for a channel. */
const trustMarked = (node: TestNode): void => {
  node.verdict = ({ payload }) => (payload[0] === 0xaa ? "authentic" : "unproven");
};
const PROOF = Uint8Array.of(0xaa);

async function knowEachOther(alice: TestNode, bob: TestNode): Promise<void> {
  alice.transport.setPeer(BOB, bob.address);
  bob.transport.setPeer(ALICE, alice.address);
  const settled = (node: TestNode, peer: NodeId): boolean => {
    node.transport.send(peer, FRAME_CONSENSUS, [PROOF]);
    const link = node.link(peer);
    return link?.dialled === "authentic" && link.accepted === "authentic" && link.sendsOn === "accepted";
  };
  // Both must go on talking until both are settled.
  await until(() => [settled(alice, BOB), settled(bob, ALICE)].every(Boolean));
}

test("two nodes that dial each other end up sending on the connection the receiver dialled", async () => {
  const [alice, bob] = [await world.node(ALICE), await world.node(BOB)];
  trustMarked(alice);
  trustMarked(bob);
  await knowEachOther(alice, bob);
  await until(() => {
    alice.transport.send(BOB, FRAME_CONSENSUS, [PROOF]);
    return alice.link(BOB)?.carriesLarge === true;
  });
  bob.received.length = 0;
  for (let index = 0; index < 100; index++) alice.transport.send(BOB, FRAME_CONSENSUS, [Uint8Array.of(index)]);
  await until(() => bob.received.length >= 100);
  // In the steady state there is one connection, so order holds again.
  expect(bob.received.slice(-100).map(({ payload }) => payload[0])).toEqual([...Array(100).keys()]);
  expect([...closedReasons(alice), ...closedReasons(bob)]).toEqual([]);
});

test("an impostor who claims a peer's id neither evicts the peer nor draws off its frames", async () => {
  const [alice, bob] = [await world.node(ALICE), await world.node(BOB)];
  trustMarked(alice);
  trustMarked(bob);
  await knowEachOther(alice, bob);
  const impostor = await world.dial(alice);
  impostor.frame(FRAME_CHANNEL, BOB, HELLO);
  await until(() => alice.received.some(({ payload }) => payload.length === HELLO.length));
  const before = bob.received.length;
  for (let index = 0; index < 50; index++) alice.transport.send(BOB, FRAME_CONSENSUS, [PROOF]);
  await until(() => bob.received.length >= before + 50);
  expect(impostor.received).toHaveLength(0);
  expect(closedReasons(alice)).toEqual([]);
});

test("an impostor gets nothing while the connection we dialled is alive, although it has proven nothing either", async () => {
  const [alice, bob] = [await world.node(ALICE), await world.node(BOB)];
  alice.transport.setPeer(BOB, bob.address);
  await until(() => alice.happened("connected").length === 1);
  const impostor = await world.dial(alice);
  impostor.frame(FRAME_CHANNEL, BOB, HELLO);
  await until(() => alice.link(BOB)?.accepted === "claimed");
  for (let index = 0; index < 100; index++) alice.transport.send(BOB, FRAME_CONSENSUS, [HELLO]);
  await until(() => bob.received.length === 100);
  expect(impostor.received).toHaveLength(0);
});

test("a newer inbound connection replaces the older one once it is authentic, not before", async () => {
  const alice = await world.node(ALICE);
  trustMarked(alice);
  const older = await world.dial(alice);
  older.frame(FRAME_CHANNEL, BOB, PROOF);
  await until(() => alice.link(BOB)?.accepted === "authentic");
  const newer = await world.dial(alice);
  newer.frame(FRAME_CHANNEL, BOB, HELLO);
  await until(() => alice.received.length === 2);
  older.received = new Uint8Array(0);
  alice.transport.send(BOB, FRAME_CONSENSUS, [HELLO]);
  await until(() => older.received.length > 0);
  expect(newer.received).toHaveLength(0);
  expect(closedReasons(alice)).toEqual([]);

  newer.frame(FRAME_CHANNEL, BOB, PROOF);
  await until(() => older.closed);
  expect(closedReasons(alice)).toEqual(["replaced"]);
  newer.received = new Uint8Array(0);
  alice.transport.send(BOB, FRAME_CONSENSUS, [HELLO]);
  await until(() => newer.received.length > 0);
});

test("a restarted peer whose old connection hangs is answered as soon as it has proven itself", async () => {
  const alice = await world.node(ALICE, { keepaliveMs: 20 });
  trustMarked(alice);
  const hanging = await world.dial(alice);
  hanging.frame(FRAME_CHANNEL, BOB, encodeLinkFrame({ confirms: false }));
  hanging.frame(FRAME_CHANNEL, BOB, PROOF);
  await until(() => alice.link(BOB)?.accepted === "authentic");
  // It has sent link frames and falls silent: within five periods it is gone, and the claimed one is used for the handshake.
  const restarted = await world.dial(alice);
  restarted.frame(FRAME_CHANNEL, BOB, HELLO);
  await until(() => hanging.closed);
  expect(closedReasons(alice)).toEqual(["silent"]);
  alice.transport.send(BOB, FRAME_CHANNEL, [HELLO]);
  await until(() => restarted.received.length > 0);
});

test("a frame that claims another sender than its connection closes the connection", async () => {
  const alice = await world.node(ALICE);
  trustMarked(alice);
  const raw = await world.dial(alice);
  raw.frame(FRAME_CHANNEL, BOB, PROOF);
  raw.frame(FRAME_CHANNEL, CAROL, PROOF);
  await until(() => raw.closed);
  expect(closedReasons(alice)).toEqual(["sender-mismatch"]);
  expect(alice.received.map(({ from }) => from)).toEqual([BOB]);
  expect(alice.transport.peers()).toEqual([]);
});

test("a frame that claims the receiver's own id closes the connection", async () => {
  const alice = await world.node(ALICE);
  const raw = await world.dial(alice);
  raw.frame(FRAME_CHANNEL, ALICE, HELLO);
  await until(() => raw.closed);
  expect(closedReasons(alice)).toEqual(["sender-mismatch"]);
  expect(alice.received).toHaveLength(0);
});

test("an address where another node answers is left, and tried again", async () => {
  const [alice, carol] = [await world.node(ALICE), await world.node(CAROL)];
  alice.transport.setPeer(BOB, carol.address);
  alice.transport.send(BOB, FRAME_FORWARDED, [HELLO]);
  carol.verdict = ({ from }) => {
    carol.transport.send(from, FRAME_FORWARDED, [HELLO]);
    return "unproven";
  };
  await until(() => closedReasons(alice).includes("sender-mismatch"));
  await until(() => alice.happened("dialling").length >= 2);
  expect(alice.received).toHaveLength(0);
});

test("an address that leads nowhere does not swallow frames while the peer itself has dialled in", async () => {
  // Long periods, so that it is the number of frames that ends the probation.
  const [alice, bob] = [await world.node(ALICE, { keepaliveMs: 60_000 }), await world.node(BOB)];
  trustMarked(alice);
  trustMarked(bob);
  const blackHole = await world.listener();
  alice.transport.setPeer(BOB, blackHole.address);
  await until(() => blackHole.accepted.length === 1);
  bob.transport.setPeer(ALICE, alice.address);
  await until(() => {
    bob.transport.send(ALICE, FRAME_CONSENSUS, [PROOF]);
    return alice.link(BOB)?.accepted === "authentic";
  });
  let sent = 0;
  await until(() => {
    if (bob.received.length === 0) sent += Number(alice.transport.send(BOB, FRAME_CONSENSUS, [HELLO]));
    return bob.received.length > 0;
  });
  expect(alice.link(BOB)).toMatchObject({ dialled: "connected", sendsOn: "accepted" });
  expect(sent).toBeGreaterThan(10); // the probation was used
});

test("at most four unproven connections claim one id; the oldest goes", async () => {
  const alice = await world.node(ALICE);
  const raws: RawPeer[] = [];
  for (let index = 0; index < 6; index++) {
    const raw = await world.dial(alice);
    raw.frame(FRAME_CHANNEL, BOB, HELLO);
    await until(() => alice.received.length === index + 1);
    raws.push(raw);
  }
  await until(() => raws[0]?.closed === true && raws[1]?.closed === true);
  expect(closedReasons(alice)).toEqual(["crowded-out", "crowded-out"]);
  expect(raws.slice(2).some(({ closed }) => closed)).toBe(false);
});

test("unproven connections are bounded in total, and proven ones are not touched", async () => {
  const alice = await world.node(ALICE, { unprovenConnections: { total: 3, perPeer: 2 } });
  trustMarked(alice);
  const proven = await world.dial(alice);
  proven.frame(FRAME_CHANNEL, BOB, PROOF);
  await until(() => alice.happened("authenticated").length === 1);
  const silent: RawPeer[] = [];
  for (let index = 0; index < 5; index++) {
    silent.push(await world.dial(alice));
    await until(() => alice.happened("accepted").length === index + 2);
  }
  await until(() => silent[0]?.closed === true && silent[1]?.closed === true);
  expect(closedReasons(alice)).toEqual(["crowded-out", "crowded-out"]);
  expect(proven.closed).toBe(false);
});

test("a link frame names the dialler, is not delivered, and is not sent when turned off", async () => {
  const [alice, bob] = [await world.node(ALICE), await world.node(BOB)];
  alice.transport.setPeer(BOB, bob.address);
  await until(() => bob.happened("claimed").length === 1);
  expect(bob.received).toHaveLength(0);

  const carol = await world.node(CAROL, { keepaliveMs: 0 });
  const raw = await world.listener();
  carol.transport.setPeer(BOB, raw.address);
  await until(() => carol.happened("connected").length === 1);
  carol.transport.send(BOB, FRAME_CONSENSUS, [HELLO]);
  await until(() => (raw.accepted[0]?.received.length ?? 0) >= 84 + HELLO.length);
  expect(raw.accepted[0]?.received.slice(84)).toEqual(HELLO);
});

test("idle connections of two nodes stay open", async () => {
  const options = { keepaliveMs: 5 };
  const [alice, bob] = [await world.node(ALICE, options), await world.node(BOB, options)];
  alice.transport.setPeer(BOB, bob.address);
  await until(() => bob.happened("claimed").length === 1);
  // A silent raw connection sees its end after ten periods; the idle one has lived through the same ten.
  const silent = await world.dial(bob);
  await until(() => silent.closed);
  expect(closedReasons(bob)).toEqual(["silent"]);
  expect(closedReasons(alice)).toEqual([]);
});
