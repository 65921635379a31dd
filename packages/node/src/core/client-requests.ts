/**
 * What clients ask, from the request to its answer: routed, executed on the primary or forwarded to it, and answered once committed.
 * Every request is answered exactly once, at the latest at its deadline.
 */
import type { ReadRefusal } from "@sealane/consensus";
import {
  CERTIFICATE_BYTES_MAX,
  decodeForwardedRequest,
  type ForwardedHeader,
  type NodeId,
  type NodeState,
  parseTxId,
  type Seqno,
  seqno,
  type TxId,
  type View,
} from "@sealane/wire";
import { type Answering, guard, jsonAnswer } from "./answer.js";
import { type EndpointRequest, findRoute, parseTarget } from "./app.js";
import { RequestError } from "./errors.js";
import { Execution } from "./execution.js";
import { Forwarder } from "./forwarder.js";
import { Histories } from "./histories.js";
import { keyQuery } from "./history-query.js";
import { answerJoin, readJoiner } from "./join.js";
import type { Peers } from "./peers.js";
import { type ReceiptForm, Receipts } from "./receipts.js";
import type { ReplicatedLog } from "./replicated-log.js";
import { ServedJoiners } from "./served-joiners.js";
import { type ServiceRoute, serviceRoutes } from "./service-routes.js";
import type { StoredEntries } from "./stored-entries.js";
import type { ClientRequest, CoreConfig, Output } from "./types.js";

/** What a removed node answers to all but questions about itself: what it could say of the application gets older without end. */
const RETIRED = "This node was removed from its service. Send this request to another node.";

type RequestOutput = Extract<Output, { type: "respond" | "event" }>;

export class ClientRequests {
  readonly #config: CoreConfig;
  readonly #log: ReplicatedLog;
  readonly #routes: readonly ServiceRoute[];
  readonly #execution: Execution;
  readonly #forwarder: Forwarder;
  readonly #receipts: Receipts;
  readonly #histories: Histories;
  readonly #joiners: ServedJoiners;
  readonly #outputs: RequestOutput[] = [];
  /** Apart from the host's, which count up from 0; other nodes' command ids may be any of those. */
  #nextForwardedId = -1;

  constructor(
    config: CoreConfig,
    log: ReplicatedLog,
    peers: Peers,
    stored: StoredEntries,
    state: (nowMs: number) => NodeState,
  ) {
    this.#config = config;
    this.#log = log;
    this.#execution = new Execution(log, config.timing.commitTimeoutMs);
    this.#forwarder = new Forwarder(config, { log, peers }, (output) => this.#outputs.push(output));
    this.#receipts = new Receipts(log, stored);
    this.#histories = new Histories(log, stored);
    this.#joiners = new ServedJoiners(log, stored);
    this.#routes = [...serviceRoutes(config, log, state), ...config.app.routes];
  }

  pollOutput(): RequestOutput | undefined {
    return this.#outputs.shift();
  }

  get waitUntilMs(): number {
    const deadlineMs = Math.min(this.#execution.nextDeadlineMs, this.#forwarder.nextDeadlineMs);
    return Math.min(deadlineMs, this.#receipts.waitUntilMs, this.#histories.waitUntilMs);
  }

  handleRequest(request: ClientRequest, nowMs: number): void {
    const answer: Answering = (given) => this.#outputs.push({ type: "respond", id: request.id, ...given });
    guard(answer, () => this.#dispatch(request, answer, nowMs, () => this.#forwarder.forward(request, nowMs)));
  }

  /** The client of this request has gone away. What it asked to be written is written all the same. */
  handleGone(id: number): void {
    this.#histories.handleGone(id);
  }

  /** Once in each turn. */
  handleFlush(): void {
    this.#histories.handleFlush();
  }

  /** For the node itself. @param done - Called once, with the JSON form in UTF-8; undefined when there is none. */
  askReceipt(txId: TxId, nowMs: number, done: (receipt: Uint8Array | undefined) => void): void {
    const answer: Answering = ({ status, body }) => done(status === 200 ? body : undefined);
    const deadlineMs = nowMs + this.#config.timing.commitTimeoutMs;
    guard(answer, () => this.#receipts.handleRequest(txId, "json", answer, deadlineMs));
  }

  handleForwarded(from: NodeId, header: ForwardedHeader, plaintext: Uint8Array, nowMs: number): void {
    if (header.type === "response") {
      this.#forwarder.handleResponse(from, header.commandId, plaintext);
      return;
    }
    const command = decodeForwardedRequest(plaintext);
    const answer: Answering = ({ status, body }) =>
      this.#forwarder.respond(from, header.commandId, command.sessionId, status, body, nowMs);
    const request = { ...command, id: this.#nextForwardedId-- };
    guard(answer, () => this.#dispatch(request, answer, nowMs, refuseSecondForwarding));
  }

  handleCommit(at: Seqno): void {
    this.#execution.handleCommit(at);
    this.#receipts.handleCommit();
    this.#histories.handleCommit();
  }

  handleReadReady(token: number): void {
    this.#execution.handleReadReady(token);
  }

  handleReadRefused(token: number, reason: ReadRefusal): void {
    this.#execution.handleReadRefused(token, reason);
  }

  /** @param signedTo - The last signature there was: what comes after it is lost, what it covered may commit yet. */
  handleRollback(to: Seqno, signedTo: Seqno): void {
    this.#execution.handleRollback(to, signedTo);
  }

  handleTick(nowMs: number): void {
    this.#execution.handleTick(nowMs);
    this.#receipts.handleTick(nowMs);
    this.#histories.handleTick(nowMs);
    this.#forwarder.handleTick(nowMs);
  }

  /** A view has begun: the primary of the one before has lost its place, and most likely answers nothing more. */
  handleView(view: View): void {
    this.#forwarder.handleView(view);
  }

  /** This node has left the service, and hears no more of what becomes of the writes it has under way. */
  handleRetired(): void {
    this.#execution.handleRetired();
    this.#forwarder.handleRetired();
  }

  #dispatch(request: ClientRequest, answer: Answering, nowMs: number, forward: () => void): void {
    const { path, query } = parseTarget(request.path);
    const { route, params } = findRoute(this.#routes, request.method, path);
    const { body, callerCertificate } = request;
    if (this.#log.standing.isRetired && route.type !== "service") throw new RequestError("retired", RETIRED);
    // Before anything looks at it, so that a backup and the primary refuse alike.
    if ((callerCertificate?.length ?? 0) > CERTIFICATE_BYTES_MAX) {
      throw new RequestError("too-large", `A client's certificate holds at most ${CERTIFICATE_BYTES_MAX} bytes.`);
    }
    const input = { params, query, body, ...(callerCertificate === undefined ? {} : { callerCertificate }) };
    switch (route.type) {
      case "service":
        answer(jsonAnswer(200, route.run(input, nowMs)));
        break;
      case "read":
        if (isSerializable(query.consistency)) this.#execution.read(route, input, answer);
        else if (this.#log.standing.role === "primary") this.#execution.readNewest(route, input, answer, nowMs);
        else forward();
        break;
      case "join":
        this.#join(input, answer, nowMs);
        break;
      case "receipt": {
        const deadlineMs = nowMs + this.#config.timing.commitTimeoutMs;
        this.#receipts.handleRequest(parseTxId(params.txId ?? ""), receiptForm(query.form), answer, deadlineMs);
        break;
      }
      case "past":
      case "history": {
        const asked = route.type === "past" ? route.run(input) : keyQuery(route.run(input), query);
        const deadlineMs = nowMs + this.#config.timing.commitTimeoutMs;
        this.#histories.handleRequest(request.id, asked, answer, deadlineMs);
        break;
      }
      case "write":
        if (this.#log.standing.role === "primary") this.#execution.write(route, input, answer, nowMs);
        else forward();
        break;
      default:
        route satisfies never;
    }
  }

  #join(input: EndpointRequest<Uint8Array>, answer: Answering, nowMs: number): void {
    const joiner = readJoiner(this.#config, input);
    const decide = (canServe: boolean, atMs: number): void =>
      guard(answer, () => {
        const { status, body, location } = answerJoin(this.#config, this.#log, joiner, canServe, atMs);
        answer(jsonAnswer(status, body, location));
      });
    this.#joiners.whenKnown(joiner.request.startupSeqno ?? seqno(0), decide, nowMs);
  }
}

/** A request is forwarded once at most (ledger spec §13). */
function refuseSecondForwarding(): void {
  throw new RequestError(
    "no-primary",
    "The node that was taken for the primary no longer is. Send this request again.",
  );
}

/** `?consistency=` of a read. As with etcd, a read is linearizable unless it asks for less. */
function isSerializable(consistency = "linearizable"): boolean {
  if (consistency === "serializable") return true;
  if (consistency === "linearizable") return false;
  throw new RequestError("malformed", 'The consistency of a read is "linearizable" or "serializable".');
}

function receiptForm(form = "json"): ReceiptForm {
  if (form === "json" || form === "cose") return form;
  throw new RequestError("malformed", 'The form of a receipt is "json" or "cose".');
}
