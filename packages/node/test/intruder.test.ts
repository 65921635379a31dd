/** Nodes that the service has not trusted speak the protocol correctly and get nothing for it. */
import { Channel } from "@sealane/channel";
import { createServiceIdentity, endorse, spkiHash } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import type { LinkEvent } from "@sealane/transport";
import { type TcpTransport, tcp } from "@sealane/transport/tcp";
import { encodeConsensus, FRAME_CONSENSUS, NodeId, seqno, view } from "@sealane/wire";
import { describe, expect, it, onTestFinished } from "vitest";
import { found, joinPending, pair, trust, type WatchedNode } from "./support.js";

const YEAR_MS = 365 * 86_400_000;

/** A node whose certificate another service has endorsed. */
function foreigner(): { id: NodeId; keyPair: ReturnType<typeof suite.generateKeyPair>; certificate: Uint8Array } {
  const times = { notBefore: new Date(Date.now() - YEAR_MS), notAfter: new Date(Date.now() + YEAR_MS) };
  const service = createServiceIdentity(suite, { name: "another service", ...times });
  const keyPair = suite.generateKeyPair("P-384");
  const id = NodeId.parse(spkiHash(suite, keyPair.publicKey.spki));
  return {
    id,
    keyPair,
    certificate: endorse(suite, service, { publicKey: keyPair.publicKey, name: id, hosts: [], ...times }),
  };
}

/** Dials a node, sends an init and a record, and closes once the node has seen all of it. @returns how many frames came back. */
async function approach(target: WatchedNode, self: ReturnType<typeof foreigner>): Promise<number> {
  let received = 0;
  let sent: () => void = () => {};
  const connected = new Promise<void>((resolve) => {
    sent = resolve;
  });
  const transport: TcpTransport = await tcp({
    self: self.id,
    listen: { host: "127.0.0.1", port: 0 },
    onFrame: () => {
      received += 1;
      return "unproven";
    },
    onLink: (event: LinkEvent) => {
      if (event.type === "connected") sent();
    },
  });
  onTestFinished(() => transport.close());
  const { nodeId, nodeAddress } = target.node;
  transport.setPeer(nodeId, nodeAddress);
  await connected;
  const serviceCertificate = new Uint8Array(self.certificate);
  const channel = new Channel({
    suite,
    version: 2,
    self,
    peer: nodeId,
    trust: { serviceCertificate, trusted: () => true },
  });
  channel.initiate(Date.now());
  const output = channel.pollOutput();
  if (output.type !== "transmit") throw new Error("an initiator sends an init first");
  transport.send(nodeId, output.frameType, output.parts);
  const heartbeat = {
    type: "append-entries",
    seqno: seqno(0),
    prevSeqno: seqno(0),
    view: view(9),
    prevView: view(0),
    commitSeqno: seqno(0),
    viewOfSeqno: view(0),
  } as const;
  transport.send(nodeId, FRAME_CONSENSUS, [encodeConsensus(heartbeat, new Uint8Array(32)), new Uint8Array(28)]);
  await transport.close(); // after all of it has been sent
  return received;
}

describe("a node that is not of this service", () => {
  it("gets no channel, no answer and no data when another service has endorsed it", async () => {
    const primary = await found();
    const before = primary.node.state();
    expect(await approach(primary, foreigner())).toBe(0);
    expect(primary.node.state()).toMatchObject({
      view: before.view,
      lastSeqno: before.lastSeqno,
      role: "primary",
      channels: [],
    });
  });

  it("does not disturb the channels of those that are", async () => {
    const { primary, backup } = await pair();
    expect(await approach(primary, foreigner())).toBe(0);
    expect(primary.node.state().channels).toMatchObject([
      { peer: backup.node.nodeId, state: "ESTABLISHED", exchanges: 1 },
    ]);
  });

  it("gets nothing while it waits to be trusted, and everything after", async () => {
    const primary = await found();
    const joiner = await joinPending(primary);
    const { keyPair, id } = joiner.node.keys;
    expect(await approach(primary, { ...foreigner(), id, keyPair })).toBe(0);
    expect(primary.node.state().channels).toEqual([]);
    await trust(primary, id);
    await joiner.node.ready;
    expect(primary.node.state().channels).toMatchObject([{ peer: id, open: true }]);
  });
});
