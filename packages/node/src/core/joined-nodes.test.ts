import { nativeSuite as suite } from "@sealane/crypto/native";
import { map, utf8Text } from "@sealane/kv";
import { base64, type NodeId, type Seqno, seqno } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { writeGenesis } from "./governance.js";
import { endorseNode, newServiceKeys, nodeIdOf } from "./identity.js";
import { JoinedNodes } from "./joined-nodes.js";
import { recordsApp } from "./records-app.js";
import { ReplicatedLog } from "./replicated-log.js";
import { SIGNING_DEFAULTS } from "./signing-policy.js";
import { configuration, type NodeInfo, nodeInfos, SINGLE } from "./tables.js";

const addresses = { nodeAddress: "n:1", apiAddress: "n:2" };
const notes = map("notes", { key: utf8Text, value: utf8Text });

/** The log of a service's first node, which has trusted a joiner that has not taken part yet. Its disk answers when `store` is called. */
class World {
  readonly log: ReplicatedLog;
  readonly joiner: NodeId;
  readonly trustedAt: Seqno;
  readonly joined: JoinedNodes;

  constructor() {
    const service = newServiceKeys(suite, 0);
    const keyPair = suite.generateKeyPair("P-384");
    const { publicKey } = keyPair;
    const id = nodeIdOf(suite, publicKey);
    const certificate = endorseNode(suite, service, { id, publicKey, hosts: [] }, 0);
    const ledgerSecrets = [{ from: seqno(1), key: suite.randomBytes(32) }];
    const timing = { electionTimeoutMs: 1_000, heartbeatMs: 100, commitTimeoutMs: 1_000 };
    const start = { type: "new", members: [] } as const;
    const identity = { suite, id, keyPair, certificate, service, ledgerSecrets, ...addresses };
    this.log = new ReplicatedLog(
      { ...identity, app: recordsApp, start, timing, signing: SIGNING_DEFAULTS, observe: false },
      0,
    );
    const serviceCertificate = service.certificate;
    const genesis = this.log.store.begin();
    writeGenesis(genesis, { id, publicKey, ...addresses, certificate, serviceCertificate, members: [] });
    this.log.append(genesis.writeSet(), 0);
    const joinerKey = suite.generateKeyPair("P-384").publicKey;
    this.joiner = nodeIdOf(suite, joinerKey);
    const trust = this.log.store.begin();
    const record: NodeInfo = {
      status: "Trusted",
      public_key: base64(joinerKey.spki),
      node_address: "j:1",
      api_address: "j:2",
    };
    trust.map(nodeInfos).put(this.joiner, record);
    trust.map(configuration).put(SINGLE, { nodes: [id, this.joiner].sort() });
    this.trustedAt = this.log.append(trust.writeSet(), 0).seqno;
    this.log.handleFlush(0);
    this.joined = new JoinedNodes(this.log);
  }

  /** Writes until no more is taken. Nothing commits: the joiner's majority is missing. */
  fill(): void {
    while (!this.log.isFull) {
      const tx = this.log.store.begin();
      tx.map(notes).put("k", "v");
      this.log.append(tx.writeSet(), 0);
    }
  }

  /** Everything is durable here and held by the joiner. */
  commitAll(): void {
    this.log.handleFlush(10);
    const { view, lastSeqno } = this.log.replica;
    for (let output = this.log.pollOutput(); output !== undefined; output = this.log.pollOutput()) {
      if (output.type === "persist") this.log.handlePersisted(output.token, 10);
    }
    this.log.handleMessage(this.joiner, { type: "append-entries-response", view, lastSeqno, success: true }, [], 10);
  }

  get isOnRecord(): boolean {
    return this.log.store.read("latest").map(nodeInfos).get(this.joiner)?.joined === true;
  }
}

describe("JoinedNodes", () => {
  it("records that a node has taken part once it acknowledges the entry that trusted it, and once only", () => {
    const { log, joined, joiner, trustedAt } = new World();
    joined.handleAcknowledgement(joiner, seqno(trustedAt - 1), 1);
    const before = log.replica.lastSeqno;
    joined.handleAcknowledgement(joiner, trustedAt, 1);
    joined.handleAcknowledgement(joiner, trustedAt, 1);
    expect(log.replica.lastSeqno).toBe(before + 1);
  });

  it("waits while too much is uncommitted, and does it with a later acknowledgement", () => {
    const world = new World();
    world.fill();
    const full = world.log.replica.lastSeqno;
    world.joined.handleAcknowledgement(world.joiner, full, 5);
    expect([world.log.replica.lastSeqno, world.isOnRecord]).toEqual([full, false]);
    world.commitAll();
    expect(world.log.isFull).toBe(false);
    world.joined.handleAcknowledgement(world.joiner, full, 20);
    expect(world.isOnRecord).toBe(true);
  });
});
