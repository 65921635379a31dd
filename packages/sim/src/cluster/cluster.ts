/**
 * A whole service in one process and one thread of virtual time. Nodes are real `NodeCore`s; the network, the disks and the clock are
 * simulated, and one seed decides everything.
 */
import { type CryptoSuite, createSelfSigned, type KeyPair, pemDecode, pemEncode, withRandom } from "@sealane/crypto";
import { simulatedSuite } from "@sealane/crypto/simulated";
import {
  type App,
  endorseNode,
  newServiceKeys,
  nodeIdOf,
  readMember,
  recordsApp,
  type ServiceKeys,
  SIGNING_DEFAULTS,
  validity,
} from "@sealane/node/core";
import { type InMemoryNetwork, inMemoryNetwork } from "@sealane/transport";
import {
  ballotBytes,
  base64,
  fromBase64,
  fromUtf8,
  type GovernanceAction,
  type JoinResponse,
  type NodeId,
  parseJoinResponse,
  seqno,
  utf8,
} from "@sealane/wire";
import { SeededRandom } from "../random.js";
import { checkAgreement } from "./checkers.js";
import { RunTrace } from "./run-trace.js";
import { type Answer, SimulatedNode, type SimulatedNodeConfig } from "./simulated-node.js";

export interface ClusterOptions {
  /** u32. Same seed, same run, down to every byte on the network (with the default suite, or another whose signatures repeat). */
  readonly seed: number;
  /** Default: a suite that costs nothing and protects nothing. Give a real one to run the real arithmetic. */
  readonly suite?: CryptoSuite;
  readonly app?: App;
  /** Virtual ms. Defaults: 1,000, 100, 3,000. */
  readonly electionTimeoutMs?: number;
  readonly heartbeatMs?: number;
  readonly commitTimeoutMs?: number;
  /** Default true, as a node's. */
  readonly preVote?: boolean;
}

/** A step of virtual time is at least this long, in ms, so that nothing can loop within one instant for ever. */
const STEP_MS = 1;
/** A turn of a node that leaves work for the same instant is repeated at most this often. */
const TURNS_PER_STEP_MAX = 1_000;

export class Cluster {
  readonly random: SeededRandom;
  /** What has happened so far. */
  readonly trace = new RunTrace();
  readonly network: InMemoryNetwork;
  readonly #options: ClusterOptions;
  readonly #suite: CryptoSuite;
  readonly #nodes: SimulatedNode[] = [];
  readonly #member: KeyPair;
  readonly #memberCertificate: string;
  readonly #service: ServiceKeys;
  #nowMs = 1_000;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.random = new SeededRandom(options.seed);
    const draw = (length: number): Uint8Array => this.random.bytes(length);
    this.#suite = options.suite === undefined ? simulatedSuite(draw) : withRandom(options.suite, draw);
    this.network = inMemoryNetwork({ random: () => this.random.float() });
    this.network.advance(this.#nowMs);
    this.#member = this.#suite.generateKeyPair("P-384");
    const der = createSelfSigned(this.#suite, this.#member, {
      name: "member0",
      hosts: [],
      ...validity(this.#nowMs, 1),
    });
    this.#memberCertificate = pemEncode("CERTIFICATE", der);
    this.#service = newServiceKeys(this.#suite, this.#nowMs);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get nodes(): readonly SimulatedNode[] {
    return this.#nodes;
  }

  /** Founds the service with its first node. */
  found(): SimulatedNode {
    const { keyPair, id } = this.#newKeys();
    const certificate = endorseNode(
      this.#suite,
      this.#service,
      { id, publicKey: keyPair.publicKey, hosts: [] },
      this.#nowMs,
    );
    const key = this.#suite.randomBytes(32);
    const node = this.#add({ ...this.#config(id, keyPair), certificate, ledgerSecrets: [{ from: seqno(1), key }] });
    node.start({ type: "new", members: [readMember(this.#suite, this.#memberCertificate)] }, this.#nowMs);
    return node;
  }

  /** Lets a new node join through `via`, trusted at once by the consortium's only member. @throws when that takes too long. */
  join(via: SimulatedNode): SimulatedNode {
    const { keyPair, id } = this.#newKeys();
    const config = this.#config(id, keyPair);
    const callerCertificate = createSelfSigned(this.#suite, keyPair, {
      name: id,
      hosts: [],
      ...validity(this.#nowMs, 1),
    });
    const body = utf8(
      JSON.stringify({
        publicKey: base64(keyPair.publicKey.spki),
        nodeAddress: config.nodeAddress,
        apiAddress: config.apiAddress,
      }),
    );
    const ask = (): JoinResponse | undefined => {
      const answer = this.ask(via, { method: "POST", path: "/node/join", body, callerCertificate });
      return answer?.status === 200 ? parseJoinResponse(JSON.parse(fromUtf8(answer.body))) : undefined;
    };
    this.until(() => ask()?.status === "pending");
    this.until(() => this.ask(via, this.ballotFor(id, "trust-node"))?.status === 200 || ask()?.status === "trusted");
    const answer = ask();
    if (answer?.status !== "trusted") throw new Error("the joiner was not trusted");
    const { network } = answer;
    const node = this.#add({
      ...config,
      certificate: pemDecode("CERTIFICATE", network.endorsedCertificate),
      ledgerSecrets: network.ledgerSecrets.map(({ from, key }) => ({ from, key: fromBase64(key) })),
    });
    node.start({ type: "join", nodes: network.nodes }, this.#nowMs);
    this.until(() => node.state(this.#nowMs)?.phase === "active");
    return node;
  }

  /** Has the consortium remove a node, asking through `via`, and runs until it may be switched off. @throws when that takes too long. */
  remove(node: SimulatedNode, via: SimulatedNode): void {
    this.until(() => this.ask(via, this.ballotFor(node.id, "remove-node"))?.status === 200);
    this.until(() => {
      const record = via.state(this.#nowMs)?.nodes.find(({ id }) => id === node.id);
      return record?.retiredCommitted === true;
    });
  }

  /** The request with which the consortium's only member casts a ballot. */
  ballotFor(nodeId: NodeId, type: GovernanceAction["type"]): { method: string; path: string; body: Uint8Array } {
    const action: GovernanceAction = { type, nodeId };
    const signature = this.#suite.sign(this.#member.privateKey, ballotBytes(this.#service.id, action));
    const memberId = readMember(this.#suite, this.#memberCertificate).id;
    return {
      method: "POST",
      path: "/governance/ballots",
      body: utf8(JSON.stringify({ action, memberId, signature: base64(signature) })),
    };
  }

  /** Runs for some virtual time, checking after every step that no two nodes have committed different entries. */
  run(durationMs: number): void {
    for (const endMs = this.#nowMs + durationMs; this.#nowMs < endMs; ) this.#step(endMs);
  }

  /** Runs until something holds. @throws when it does not within the time given. */
  until(holds: () => boolean, withinMs = 60_000): void {
    const endMs = this.#nowMs + withinMs;
    while (!holds()) {
      if (this.#nowMs >= endMs) throw new Error(`seed ${this.#options.seed}: nothing came of it within ${withinMs} ms`);
      this.#step(endMs);
    }
  }

  /** Sends one request to a node and runs until it is answered. @returns undefined when the node died instead. */
  ask(
    node: SimulatedNode,
    request: { method: string; path: string; body?: Uint8Array; callerCertificate?: Uint8Array },
  ): Answer | undefined {
    let answer: Answer | undefined;
    node.request(request, this.#nowMs, (given) => {
      answer = given;
    });
    this.until(() => answer !== undefined || !node.isUp);
    return answer;
  }

  /** The node that is primary in the highest view, if any. */
  get primary(): SimulatedNode | undefined {
    const states = this.#nodes.flatMap((node) => {
      const state = node.state(this.#nowMs);
      return state?.role === "primary" ? [{ node, view: state.view }] : [];
    });
    return states.sort((a, b) => b.view - a.view)[0]?.node;
  }

  #step(endMs: number): void {
    for (let turns = 0; turns < TURNS_PER_STEP_MAX; turns++) {
      const due = this.#nodes.filter((node) => node.wakeMs <= this.#nowMs);
      if (due.length === 0) break;
      for (const node of due) node.run(this.#nowMs);
    }
    const wakeMs = Math.min(
      ...this.#nodes.map((node) => node.wakeMs),
      this.network.nextDueMs ?? Number.POSITIVE_INFINITY,
    );
    this.#nowMs = Math.min(endMs, Math.max(this.#nowMs + STEP_MS, Math.ceil(wakeMs)));
    this.network.advance(this.#nowMs);
    checkAgreement(this.#nodes, this.#options.seed);
  }

  #newKeys(): { keyPair: KeyPair; id: NodeId } {
    const keyPair = this.#suite.generateKeyPair("P-384");
    return { keyPair, id: nodeIdOf(this.#suite, keyPair.publicKey) };
  }

  #config(id: NodeId, keyPair: KeyPair): Omit<SimulatedNodeConfig, "certificate" | "ledgerSecrets"> {
    const {
      app,
      electionTimeoutMs = 1_000,
      heartbeatMs = 100,
      commitTimeoutMs = 3_000,
      preVote = true,
    } = this.#options;
    const number = this.#nodes.length;
    return {
      suite: this.#suite,
      app: app ?? recordsApp,
      id,
      keyPair,
      service: this.#service,
      nodeAddress: `node${number}.sim:7001`,
      apiAddress: `node${number}.sim:8001`,
      timing: { electionTimeoutMs, heartbeatMs, commitTimeoutMs },
      signing: SIGNING_DEFAULTS,
      preVote,
    };
  }

  #add(config: SimulatedNodeConfig): SimulatedNode {
    const node = new SimulatedNode(config, this.network, this.trace);
    this.#nodes.push(node);
    return node;
  }
}
