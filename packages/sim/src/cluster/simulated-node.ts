/** A real `NodeCore` on a simulated host: its clock, network and disk belong to the simulation. */
import { type CoreConfig, type HardState, NodeCore, Replay, type Start } from "@sealane/node/core";
import type { InMemoryNetwork, Transport } from "@sealane/transport";
import { type NetworkNode, type NodeId, type NodeState, type Seqno, seqno, view } from "@sealane/wire";
import type { RunTrace } from "./run-trace.js";
import { SimulatedDisk } from "./simulated-disk.js";

export interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

export type SimulatedNodeConfig = Omit<CoreConfig, "start" | "observe">;

export class SimulatedNode {
  readonly disk = new SimulatedDisk();
  readonly #config: SimulatedNodeConfig;
  readonly #network: InMemoryNetwork;
  readonly #trace: RunTrace;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  #core: NodeCore | undefined;
  #transport: Transport | undefined;
  #nextRequestId = 0;
  #wakeMs = 0;
  /** The nodes it was told of when it joined, which a real node keeps in a file. */
  #toldOf: readonly NetworkNode[] = [];
  #committed = seqno(0);

  constructor(config: SimulatedNodeConfig, network: InMemoryNetwork, trace: RunTrace) {
    this.#config = config;
    this.#network = network;
    this.#trace = trace;
  }

  get id(): NodeId {
    return this.#config.id;
  }

  get isUp(): boolean {
    return this.#core !== undefined;
  }

  /** The highest seqno this node has ever reported as committed; survives its crashes, so that a checker can hold it to its word. */
  get committed(): Seqno {
    return this.#committed;
  }

  /** When it wants to run next; `Infinity` while it is down. */
  get wakeMs(): number {
    return this.#core === undefined ? Number.POSITIVE_INFINITY : this.#wakeMs;
  }

  start(start: Start, nowMs: number): void {
    if (start.type === "join") this.#toldOf = start.nodes;
    this.#core = new NodeCore({ ...this.#config, start, observe: true }, nowMs);
    this.#transport = this.#network.transport({
      self: this.id,
      onFrame: ({ from, type, payload }) => {
        const verdict = this.#core?.handleFrame(from, type, payload, this.#network.nowMs) ?? "unproven";
        this.#wakeMs = this.#network.nowMs;
        return verdict;
      },
    });
    this.#wakeMs = nowMs;
  }

  /** Comes back with what its disk has. */
  restart(nowMs: number): void {
    const none: HardState = { view: view(0), votedFor: undefined, commitSeqno: seqno(0) };
    const replay = new Replay(this.#config.suite, this.#config.ledgerSecrets, this.disk.hardState ?? none);
    for (const entry of this.disk.entries) replay.handleEntry(entry);
    this.start({ type: "resume", replay, nodes: this.#toldOf }, nowMs);
  }

  /** Ends at once, as by SIGKILL with a loss of power: requests get no answer, unsynced writes are gone. */
  kill(): void {
    if (this.#core === undefined) return;
    this.#network.crash(this.id);
    this.#core = undefined;
    this.#transport = undefined;
    this.#answers.clear();
    this.disk.crash();
  }

  state(nowMs: number): NodeState | undefined {
    return this.#core?.state(nowMs);
  }

  /** @param answered - called once, unless the node is killed first. */
  request(
    request: { method: string; path: string; body?: Uint8Array; callerCertificate?: Uint8Array },
    nowMs: number,
    answered: (answer: Answer) => void,
  ): void {
    const id = this.#nextRequestId++;
    this.#answers.set(id, answered);
    this.#core?.handle({ type: "request", request: { body: new Uint8Array(0), ...request, id } }, nowMs);
    this.#wakeMs = nowMs;
  }

  /** One turn of the host's loop. */
  run(nowMs: number): void {
    const core = this.#core;
    if (core === undefined) return;
    core.handle({ type: "tick" }, nowMs);
    core.handle({ type: "flush" }, nowMs);
    for (let output = core.pollOutput(); ; output = core.pollOutput()) {
      switch (output.type) {
        case "append":
          this.disk.append(output.entries);
          break;
        case "truncate":
          this.disk.truncate(output.to);
          break;
        case "persist":
          this.disk.sync(output.hardState);
          core.handle({ type: "persisted", token: output.token }, nowMs);
          break;
        case "commit":
          this.#committed = seqno(Math.max(this.#committed, output.seqno));
          break;
        case "transmit":
          this.#trace.handleFrame(nowMs, this.id, output.to, output.frameType, output.parts);
          this.#transport?.send(output.to, output.frameType, output.parts);
          break;
        case "peer":
          this.#transport?.setPeer(output.id, output.address);
          break;
        case "read":
          core.handle(
            { type: "entries", id: output.id, entries: this.disk.entries.slice(output.from - 1, output.through) },
            nowMs,
          );
          break;
        case "respond":
          this.#answers.get(output.id)?.(output);
          this.#answers.delete(output.id);
          break;
        case "event":
          this.#trace.handleEvent(this.id, output.event);
          break;
        case "wait":
          this.#wakeMs = output.untilMs;
          return;
        default:
          output satisfies never;
      }
    }
  }
}
