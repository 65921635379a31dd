/**
 * The untrusted part of a node while it runs: carries bytes, time and durability between the core and the world, and decides nothing. One
 * turn: whatever arrived since the last one, then `flush`, then every output in its order.
 */
import type { FileLedger } from "@sealane/ledger/files";
import type { Transport } from "@sealane/transport";
import type { FrameType, NetworkNode, NodeId, NodeState } from "@sealane/wire";
import type { Answer } from "../core/answer.js";
import { FaultError, RequestError } from "../core/errors.js";
import type { FrameVerdict, NodeCore } from "../core/node-core.js";
import type { ClientRequest, Input, NodeEvent, Output } from "../core/types.js";
import { type ApiRequest, refusal } from "./api-server.js";
import { nowMs } from "./clock.js";
import { NodeError } from "./errors.js";
import { type FileAnswer, SnapshotEndpoint } from "./snapshot-endpoint.js";
import type { SnapshotStore } from "./snapshot-store.js";
import type { Storage } from "./storage.js";

/** Timers beyond this fire at once in Node; nothing here waits that long. */
const TIMER_MS_MAX = 60_000;

export interface HostParts {
  readonly core: NodeCore;
  readonly transport: Transport;
  readonly ledger: FileLedger;
  readonly snapshots: SnapshotStore;
  readonly observer: ((event: NodeEvent) => void) | undefined;
  /** Asks a node at an API address what nodes the service has. @returns undefined when no answer that counts comes in time. */
  askNetwork(address: string): Promise<readonly NetworkNode[] | undefined>;
  /** The node takes part in its service: called once. */
  onReady(): void;
  /** The service has endorsed it anew. @param certificate - DER. */
  onCertificate(certificate: Uint8Array): void;
  /** The service has removed it and needs it no more: called once. */
  onRetired(): void;
  onFailed(error: NodeError): void;
}

export class NodeHost {
  readonly #parts: HostParts;
  readonly #storage: Storage;
  readonly #snapshots: SnapshotEndpoint;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  #nextRequestId = 0;
  #turnIsDue = false;
  #isReady = false;
  #isRetired = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param makeStorage - gets the callbacks of this host. */
  constructor(parts: HostParts, makeStorage: (handlers: StorageHandlers) => Storage) {
    this.#parts = parts;
    this.#snapshots = new SnapshotEndpoint(parts.snapshots, () => parts.core.serviceSince);
    this.#storage = makeStorage({
      onPersisted: (token) => this.#handle({ type: "persisted", token }),
      onFailed: (error) => this.#fail(error),
    });
    this.#scheduleTurn();
  }

  get state(): NodeState {
    return this.#parts.core.state(nowMs());
  }

  handleFrame(from: NodeId, type: FrameType, payload: Uint8Array): FrameVerdict {
    if (this.#stopped) return "unproven";
    try {
      return this.#parts.core.handleFrame(from, type, payload, nowMs());
    } catch (error) {
      this.#fail(asNodeError(error));
      return "unproven";
    } finally {
      this.#scheduleTurn();
    }
  }

  /** A file goes from the disk to the client; what it holds its receipt says. @throws RequestError when there is none, or not now. */
  handleSnapshotRequest(request: ApiRequest): Promise<Answer | FileAnswer> {
    return this.#stopped ? Promise.resolve(stoppingAnswer()) : this.#snapshots.handle(request);
  }

  /**
   * Answers a client, in time: the core bounds every wait.
   * @param gone - Aborted when the client goes away; then nothing is answered.
   */
  handleRequest(request: Omit<ClientRequest, "id">, gone?: AbortSignal): Promise<Answer> {
    if (this.#stopped) return Promise.resolve(stoppingAnswer());
    const id = this.#nextRequestId++;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      gone?.addEventListener("abort", () => {
        if (this.#answers.delete(id)) this.#handle({ type: "gone", id });
      });
      this.#handle({ type: "request", request: { ...request, id } });
    });
  }

  /** Stops taking in anything, answers whoever waits, and makes what was decided durable. */
  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true;
      clearTimeout(this.#timer);
      for (const answer of this.#answers.values()) answer(stoppingAnswer());
      this.#answers.clear();
    }
    await this.#parts.snapshots.close();
    await this.#storage.close();
  }

  #handle(input: Input): void {
    if (this.#stopped) return;
    try {
      this.#parts.core.handle(input, nowMs());
    } catch (error) {
      this.#fail(asNodeError(error));
    }
    this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    if (this.#turnIsDue || this.#stopped) return;
    this.#turnIsDue = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#turnIsDue = false;
    if (this.#stopped) return;
    try {
      this.#parts.core.handle({ type: "flush" }, nowMs());
      for (let output = this.#parts.core.pollOutput(); ; output = this.#parts.core.pollOutput()) {
        if (output.type === "wait") {
          this.#setTimer(output.untilMs);
          break;
        }
        this.#carryOut(output);
      }
      if (!this.#isReady && this.#parts.core.isReady) {
        this.#isReady = true;
        this.#parts.onReady();
      }
      if (!this.#isRetired && this.#parts.core.isRetired) {
        this.#isRetired = true;
        this.#parts.onRetired();
      }
    } catch (error) {
      this.#fail(asNodeError(error));
    }
  }

  #carryOut(output: Exclude<Output, { type: "wait" }>): void {
    switch (output.type) {
      case "append":
      case "truncate":
      case "secrets":
      case "persist":
      case "commit":
        this.#storage.handle(output);
        break;
      case "snapshot":
      case "snapshot-dropped":
      case "snapshot-committed":
        this.#parts.snapshots.handle(output);
        break;
      case "certificate":
        this.#parts.onCertificate(output.certificate);
        break;
      case "transmit":
        this.#parts.transport.send(output.to, output.frameType, output.parts);
        break;
      case "peer":
        this.#parts.transport.setPeer(output.id, output.address);
        break;
      case "read":
        void this.#read(output);
        break;
      case "inquire":
        for (const address of output.addresses) void this.#inquire(address);
        break;
      case "respond":
        this.#answers.get(output.id)?.(output);
        this.#answers.delete(output.id);
        break;
      case "event":
        this.#parts.observer?.(output.event);
        break;
      default:
        output satisfies never;
    }
  }

  async #read({ id, from, through, bytesMax }: Extract<Output, { type: "read" }>): Promise<void> {
    // None, as if they were lost: the core knows what that means for whoever waits for them.
    const { ledger } = this.#parts;
    const entries = await ledger.read(from, through, bytesMax).catch(() => []);
    this.#handle({ type: "entries", id, entries, firstHeld: ledger.firstSeqno });
  }

  async #inquire(address: string): Promise<void> {
    const nodes = await this.#parts.askNetwork(address);
    if (nodes !== undefined) this.#handle({ type: "network", nodes });
  }

  #setTimer(untilMs: number): void {
    clearTimeout(this.#timer);
    const delayMs = Math.min(Math.max(untilMs - nowMs(), 0), TIMER_MS_MAX);
    this.#timer = setTimeout(() => this.#handle({ type: "tick" }), delayMs);
  }

  #fail(error: NodeError): void {
    if (this.#stopped) return;
    this.#parts.onFailed(error);
  }
}

export interface StorageHandlers {
  onPersisted(token: number): void;
  onFailed(error: NodeError): void;
}

function stoppingAnswer(): Answer {
  return refusal(new RequestError("stopping", "This node is stopping. Send this request to another one."));
}

function asNodeError(error: unknown): NodeError {
  if (error instanceof NodeError) return error;
  const message = error instanceof FaultError ? error.message : "The node's core failed; this is a bug.";
  return new NodeError("fault", message, { cause: error });
}
