import { createSelfSigned, pemEncode } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { Store, type Transaction } from "@sealane/kv";
import { type Ballot, ballotBytes, base64, type NodeAction, type NodeId, seqno, view } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { type BallotContext, castBallot, recordJoin, writeGenesis, writeRetiredCommitted } from "./governance.js";
import { endorseNode, newServiceKeys, nodeIdOf, readMember, validity } from "./identity.js";
import { configuration, isTakingPart, networkNodes, nodeInfos, retiredIn, SINGLE } from "./tables.js";

const service = newServiceKeys(suite, 0);
const members = Array.from({ length: 3 }, () => {
  const keyPair = suite.generateKeyPair("P-384");
  const der = createSelfSigned(suite, keyPair, { name: "member", hosts: [], ...validity(0, 1) });
  return { keyPair, ...readMember(suite, pemEncode("CERTIFICATE", der)) };
});

function newNode(): { id: NodeId; publicKey: ReturnType<typeof suite.generateKeyPair>["publicKey"] } {
  const { publicKey } = suite.generateKeyPair("P-384");
  return { id: nodeIdOf(suite, publicKey), publicKey };
}

/** The tables of a service with three members and one node, changed by one transaction after the other. */
class World {
  readonly store = new Store();
  readonly first = newNode();
  #seqno = 0;

  constructor() {
    const { id, publicKey } = this.first;
    const certificate = endorseNode(suite, service, { id, publicKey, hosts: [] }, 0);
    const serviceCertificate = service.certificate;
    this.change((tx) =>
      writeGenesis(tx, {
        id,
        publicKey,
        nodeAddress: "f:1",
        apiAddress: "f:2",
        certificate,
        serviceCertificate,
        members,
      }),
    );
  }

  change<T>(run: (tx: Transaction) => T): T {
    const tx = this.store.begin();
    const result = run(tx);
    this.#seqno += 1;
    this.store.apply(tx.writeSet(), { view: view(2), seqno: seqno(this.#seqno) });
    return result;
  }

  commit(): void {
    this.store.compact(seqno(this.#seqno));
  }

  join(name: string, node = newNode()): NodeId {
    const request = { publicKey: base64(node.publicKey.spki), nodeAddress: `${name}:1`, apiAddress: `${name}:2` };
    this.change((tx) => recordJoin(tx, node.id, request));
    return node.id;
  }

  /** The ledger secret is not changed here. */
  get #context(): BallotContext {
    const secrets = {
      wrapping: undefined,
      current: { from: seqno(1), key: new Uint8Array(32) },
      count: 1,
      isSettled: true,
    };
    return { suite, service, nowMs: 0, secrets, id: this.first.id, view: view(2) };
  }

  vote(type: NodeAction["type"], nodeId: NodeId, ...voters: number[]): boolean {
    let accepted = false;
    const context = this.#context;
    for (const index of voters) {
      const member = members[index];
      if (member === undefined) throw new Error("no such member");
      const action = { type, nodeId };
      const signature = base64(suite.sign(member.keyPair.privateKey, ballotBytes(service.id, action)));
      const ballot: Ballot = { action, memberId: member.id, signature };
      accepted = this.change((tx) => castBallot(tx, ballot, context));
    }
    return accepted;
  }

  takesPart(id: NodeId): void {
    this.change((tx) => {
      const info = tx.map(nodeInfos).get(id);
      if (info !== undefined) tx.map(nodeInfos).put(id, { ...info, joined: true });
    });
  }

  nodes(): ReturnType<typeof networkNodes> {
    return networkNodes(this.store.read("latest"), this.store.read("committed"));
  }

  standing(id: NodeId): string {
    const node = this.nodes().find((record) => record.id === id);
    return `${node?.status}${node?.retiredCommitted ? ", gone" : ""}`;
  }

  get configured(): readonly NodeId[] {
    return this.store.read("latest").map(configuration).get(SINGLE)?.nodes ?? [];
  }
}

const conflict = expect.objectContaining({ name: "RequestError", code: "conflict" });

describe("ballots", () => {
  it("take more than half of the members, each counted once, to let a node in and to remove it", () => {
    const world = new World();
    const id = world.join("a");
    expect(world.vote("trust-node", id, 0, 0)).toBe(false);
    expect(world.vote("trust-node", id, 1)).toBe(true);
    expect(world.configured).toEqual([world.first.id, id].sort());
    world.takesPart(id);
    expect(world.vote("remove-node", world.first.id, 2, 2)).toBe(false);
    expect(world.configured).toHaveLength(2);
    expect(world.vote("remove-node", world.first.id, 0)).toBe(true);
    expect(world.configured).toEqual([id]);
    expect(world.vote("remove-node", world.first.id, 1)).toBe(true); // done before
  });

  it("do not remove the only node, nor leave a set of which no majority has taken part", () => {
    const world = new World();
    const { id } = world.first;
    expect(() => world.vote("remove-node", id, 0)).toThrow(conflict);
    const [a, b] = [world.join("a"), world.join("b")];
    for (const joiner of [a, b]) world.vote("trust-node", joiner, 0, 1);
    world.takesPart(a);
    expect(() => world.vote("remove-node", id, 0)).toThrow(conflict); // a alone of a and b
    expect(world.vote("remove-node", b, 0, 1)).toBe(true); // both that are left
    expect(world.vote("remove-node", id, 0, 1)).toBe(true);
    expect(world.configured).toEqual([a]);
  });

  it("stand when the node asks again from elsewhere before it is told", () => {
    const world = new World();
    const node = newNode();
    const id = world.join("a", node);
    world.vote("trust-node", id, 0, 1);
    world.join("b", node);
    expect(world.standing(id)).toBe("trusted");
    expect(world.nodes().find((record) => record.id === id)?.nodeAddress).toBe("a:1");
  });

  it("turn a pending node away, which is gone at once, without a change of configuration", () => {
    const world = new World();
    const node = newNode();
    world.join("a", node);
    expect(world.vote("remove-node", node.id, 0, 1)).toBe(true);
    expect([world.standing(node.id), world.configured]).toEqual(["retired, gone", [world.first.id]]);
    expect(() => world.join("other", node)).toThrow(conflict);
    expect(() => world.vote("trust-node", node.id, 0)).toThrow(conflict);
  });
});

describe("a removed node's record", () => {
  it("says that it may be switched off once both entries are committed, and not before", () => {
    const world = new World();
    const id = world.join("a");
    world.vote("trust-node", id, 0, 1);
    world.takesPart(id);
    world.vote("remove-node", id, 0, 1);
    world.commit();
    expect(world.standing(id)).toBe("retired");
    expect(world.nodes().filter(isTakingPart)).toHaveLength(2); // still needed
    const retired = world.change((tx) => {
      writeRetiredCommitted(tx, [id, world.first.id]); // one that is not removed is left alone
      return retiredIn(tx.writeSet());
    });
    expect(retired).toEqual([id]);
    expect(world.standing(id)).toBe("retired"); // not committed yet
    world.commit();
    expect(world.standing(id)).toBe("retired, gone");
    expect(world.nodes().filter(isTakingPart)).toHaveLength(1);
    expect(() => world.vote("trust-node", id, 0)).toThrow(conflict);
  });

  it("is shown among the last 512 that are gone, so that what clients are answered stays bounded", () => {
    const world = new World();
    const record = { status: "Retired", public_key: "", node_address: "n:1", api_address: "n:2" } as const;
    const ids = Array.from({ length: 600 }, (_, index) => index.toString(16).padStart(64, "0"));
    for (const id of ids) world.change((tx) => tx.map(nodeInfos).put(id, record));
    const shown = world.nodes();
    expect(shown).toHaveLength(513);
    expect(shown.map(({ id }) => id as string)).toEqual(expect.arrayContaining([world.first.id, ...ids.slice(-512)]));
  });
});
