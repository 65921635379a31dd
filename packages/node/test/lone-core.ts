/** A service of one node, without a host: time and the disk are the test's. */
import type { KeyPair } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { type NodeId, seqno, utf8 } from "@sealane/wire";
import { endorseNode, newServiceKeys, nodeIdOf } from "../src/core/identity.js";
import { NodeCore } from "../src/core/node-core.js";
import { recordsApp } from "../src/core/records-app.js";
import { SIGNING_DEFAULTS, type SigningLimits } from "../src/core/signing-policy.js";
import type { Output } from "../src/core/types.js";

export class LoneCore {
  readonly core: NodeCore;
  readonly id: NodeId;
  readonly keyPair: KeyPair = suite.generateKeyPair("P-384");
  readonly service = newServiceKeys(suite, 0);
  nowMs = 0;
  #request = 0;
  #tokens: number[] = [];

  constructor(signing: Partial<SigningLimits> = {}) {
    const { publicKey } = this.keyPair;
    this.id = nodeIdOf(suite, publicKey);
    const certificate = endorseNode(suite, this.service, { id: this.id, publicKey, hosts: ["127.0.0.1"] }, 0);
    this.core = new NodeCore(
      {
        ...{ suite, app: recordsApp, id: this.id, keyPair: this.keyPair, certificate, service: this.service },
        ledgerSecrets: [{ from: seqno(1), key: suite.randomBytes(32) }],
        nodeAddress: "127.0.0.1:1",
        apiAddress: "127.0.0.1:2",
        start: { type: "new", members: [] },
        timing: { electionTimeoutMs: 5_000, heartbeatMs: 100, commitTimeoutMs: 3_000 },
        signing: { ...SIGNING_DEFAULTS, ...signing },
        observe: false,
      },
      0,
    );
  }

  /** @returns the id of the request, which comes back with its answer. */
  request(method: string, path: string, body: unknown, callerCertificate?: Uint8Array): number {
    const id = this.#request++;
    const caller = callerCertificate === undefined ? {} : { callerCertificate };
    const request = { id, method, path, body: utf8(JSON.stringify(body)), ...caller };
    this.core.handle({ type: "request", request }, this.nowMs);
    return id;
  }

  /** Ends the turn. @returns what is to be carried out. */
  turn(): Output[] {
    const outputs: Output[] = [];
    this.core.handle({ type: "flush" }, this.nowMs);
    for (let output: Output = this.core.pollOutput(); output.type !== "wait"; output = this.core.pollOutput()) {
      outputs.push(output);
      if (output.type === "persist") this.#tokens.push(output.token);
    }
    return outputs;
  }

  /** The disk has done all it was told. */
  persist(): void {
    for (const token of this.#tokens) this.core.handle({ type: "persisted", token }, this.nowMs);
    this.#tokens = [];
  }

  /** Turns until the disk has nothing left to do. @returns what was carried out. */
  settle(): Output[] {
    const outputs: Output[] = [];
    do {
      outputs.push(...this.turn());
      this.persist();
      outputs.push(...this.turn());
    } while (this.#tokens.length > 0);
    return outputs;
  }
}
