/**
 * A backup's way to the primary, and the primary's way back: client requests that need it, and its answers, encrypted with the channel's keys
 * (ledger spec §13).
 */
import {
  decodeForwardedResponse,
  encodeForwardedHeader,
  encodeForwardedRequest,
  encodeForwardedResponse,
  type ForwardedHeader,
  FRAME_FORWARDED,
  type NodeId,
  type View,
} from "@sealane/wire";
import { jsonAnswer } from "./answer.js";
import { RequestError } from "./errors.js";
import { Forwarding } from "./forwarding.js";
import type { Peers } from "./peers.js";
import type { ReplicatedLog } from "./replicated-log.js";
import type { ClientRequest, CoreConfig, Output } from "./types.js";

/** A forwarded request waits this much longer than the primary does, in ms, so that the primary's answer is the one that arrives. */
const FORWARDING_SLACK_MS = 500;
/** Clients are not tied to a session yet: every forwarded request runs in session 0 (ledger spec §13). */
const NO_SESSION = 0;

export class Forwarder {
  readonly #config: CoreConfig;
  readonly #log: ReplicatedLog;
  readonly #peers: Peers;
  readonly #tell: (output: Extract<Output, { type: "respond" | "event" }>) => void;
  readonly #forwarding = new Forwarding();

  /** @param tell - Takes answers to clients, and events. */
  constructor(
    config: CoreConfig,
    { log, peers }: { readonly log: ReplicatedLog; readonly peers: Peers },
    tell: (output: Extract<Output, { type: "respond" | "event" }>) => void,
  ) {
    this.#config = config;
    this.#log = log;
    this.#peers = peers;
    this.#tell = tell;
  }

  get nextDeadlineMs(): number {
    return this.#forwarding.nextDeadlineMs;
  }

  /** Sends a client's write, or a read of the newest state, on to the primary, encrypted with the channel's key. */
  forward(request: ClientRequest, nowMs: number): void {
    const { primary, view } = this.#log.replica;
    if (primary === undefined) {
      throw new RequestError(
        "no-quorum",
        "No primary is known: too few nodes can be reached. Send this request again.",
      );
    }
    if (this.#forwarding.isFull)
      throw new RequestError("overloaded", "Too many requests wait for the primary already.");
    const deadlineMs = nowMs + this.#config.timing.commitTimeoutMs + FORWARDING_SLACK_MS;
    const commandId = this.#forwarding.add(request.id, primary, view, deadlineMs);
    const { method, path, body, callerCertificate } = request;
    const caller = callerCertificate === undefined ? {} : { callerCertificate };
    const sent = this.#send(
      primary,
      { type: "command", commandId, view },
      encodeForwardedRequest({ sessionId: NO_SESSION, method, path, body, ...caller }),
      nowMs,
    );
    if (!sent) {
      this.#forwarding.remove(commandId);
      throw new RequestError(
        "no-primary",
        "The primary cannot be reached from this node now. Send this request again.",
      );
    }
  }

  /** The primary's side: answers what `to` has forwarded. */
  respond(to: NodeId, commandId: number, sessionId: number, status: number, body: Uint8Array, nowMs: number): void {
    const plaintext = encodeForwardedResponse({ sessionId, status, body });
    this.#send(to, { type: "response", commandId, terminateSession: false }, plaintext, nowMs);
  }

  /** The primary's answer to what was forwarded. One that nobody waits for is passed over. */
  handleResponse(from: NodeId, commandId: number, plaintext: Uint8Array): void {
    const { status, body } = decodeForwardedResponse(plaintext);
    const id = this.#forwarding.takeAnswered(commandId, from);
    if (id !== undefined) this.#tell({ type: "respond", id, status, body });
  }

  handleTick(nowMs: number): void {
    this.#giveUp(this.#forwarding.takeExpired(nowMs), "The primary did not answer in time: it may have no quorum.");
  }

  /** A view has begun: the primary of the one before has lost its place, and most likely answers nothing more. */
  handleView(view: View): void {
    this.#giveUp(this.#forwarding.takeBefore(view), "The primary changed before it answered.");
  }

  handleRetired(): void {
    this.#giveUp(this.#forwarding.takeAll(), "This node was removed from the service before the primary answered.");
  }

  #giveUp(requests: readonly number[], why: string): void {
    for (const id of requests) {
      const again = "A write may still commit: send this request again, with the same key.";
      const { status, answer } = new RequestError("no-quorum", `${why} ${again}`);
      this.#tell({ type: "respond", id, ...jsonAnswer(status, answer) });
    }
  }

  #send(to: NodeId, header: ForwardedHeader, plaintext: Uint8Array, nowMs: number): boolean {
    const sent = this.#peers.sendEncrypted(to, FRAME_FORWARDED, encodeForwardedHeader(header), plaintext, nowMs);
    const { type: what, commandId } = header;
    if (sent && this.#config.observe) {
      const shown = { peer: to, direction: "sent", what, commandId, bytes: plaintext.length, atMs: nowMs } as const;
      this.#tell({ type: "event", event: { type: "forwarded", ...shown } });
    }
    return sent;
  }
}
