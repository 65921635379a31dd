import { nativeSuite as suite } from "@sealane/crypto/native";
import { seqno, utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { endorseNode, newServiceKeys, nodeIdOf } from "./identity.js";
import { NodeCore } from "./node-core.js";
import { recordsApp } from "./records-app.js";
import { SIGNING_DEFAULTS } from "./signing-policy.js";
import type { Output } from "./types.js";

/** A service of one node, whose disk is the test. */
class World {
  readonly core: NodeCore;
  #request = 0;
  #tokens: number[] = [];

  constructor(fixed: boolean) {
    const service = newServiceKeys(suite, 0);
    const keyPair = suite.generateKeyPair("P-384");
    const id = nodeIdOf(suite, keyPair.publicKey);
    const certificate = endorseNode(suite, service, { id, publicKey: keyPair.publicKey, hosts: ["127.0.0.1"] }, 0);
    this.core = new NodeCore(
      {
        suite,
        app: recordsApp,
        id,
        keyPair,
        certificate,
        service,
        ledgerSecrets: [{ from: seqno(1), key: suite.randomBytes(32) }],
        nodeAddress: "127.0.0.1:1",
        apiAddress: "127.0.0.1:2",
        start: { type: "new", members: [] },
        timing: { electionTimeoutMs: 5_000, heartbeatMs: 100, commitTimeoutMs: 3_000 },
        signing: { ...SIGNING_DEFAULTS, fixed, entriesMax: fixed ? 100 : SIGNING_DEFAULTS.entriesMax },
        observe: false,
      },
      0,
    );
  }

  put(valueBytes = 1): void {
    const id = this.#request++;
    const body = utf8(JSON.stringify({ value: "v".repeat(valueBytes) }));
    this.core.handle({ type: "request", request: { id, method: "PUT", path: `/records/k${id}`, body } }, 0);
  }

  /** Ends the turn. @returns the seqnos given to storage, in the order of what else storage was told. */
  turn(): (readonly number[] | "persist" | "commit")[] {
    const told: (readonly number[] | "persist" | "commit")[] = [];
    this.core.handle({ type: "flush" }, 0);
    for (let output: Output = this.core.pollOutput(); output.type !== "wait"; output = this.core.pollOutput()) {
      if (output.type === "append") told.push(output.entries.map((entry) => Number(entry.seqno)));
      if (output.type === "commit") told.push("commit");
      if (output.type !== "persist") continue;
      told.push("persist");
      this.#tokens.push(output.token);
    }
    return told;
  }

  /** The disk has done all it was told. */
  persist(): void {
    for (const token of this.#tokens) this.core.handle({ type: "persisted", token }, 0);
    this.#tokens = [];
  }
}

describe("an entry that no signature covers yet", () => {
  it("is stored with its signature, all that came during a round at once", () => {
    const world = new World(false);
    expect(world.turn().flat()).toContain(2); // the first transaction and its signature
    world.put();
    world.put();
    expect(world.turn()).toEqual([]);
    world.put();
    expect(world.turn()).toEqual([]);
    world.persist(); // of the signature: it commits, and the next one is due
    const told = world.turn();
    expect(told.filter((what) => what !== "persist")).toEqual(["commit", [3, 4, 5, 6]]);
    expect(told.at(-1)).toBe("persist");
    world.persist();
    expect(world.turn()).toEqual(["commit"]);
  });

  it("does not wait when there is much of it", () => {
    const world = new World(false);
    world.turn();
    world.put(40_000);
    expect(world.turn()).toEqual([]);
    world.put(40_000);
    expect(world.turn()).toEqual([[3, 4], "persist"]);
  });

  it("does not wait under a fixed cadence, whose signatures are far apart", () => {
    const world = new World(true);
    world.turn();
    world.put();
    expect(world.turn()).toEqual([[3], "persist"]);
  });
});
