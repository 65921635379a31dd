/**
 * What clients ask, from the request to its answer: routed, executed on the primary or forwarded to it, and answered once committed.
 * Every request is answered exactly once, at the latest at its deadline.
 */
import type { ReadRefusal } from "@sealane/consensus";
import {
  CERTIFICATE_BYTES_MAX,
  decodeForwardedRequest,
  decodeForwardedResponse,
  encodeForwardedHeader,
  encodeForwardedRequest,
  encodeForwardedResponse,
  type ForwardedHeader,
  FRAME_FORWARDED,
  formatTxId,
  type NodeId,
  type NodeState,
  parseTxId,
  type Seqno,
  seqno,
  type TxId,
  type View,
} from "@sealane/wire";
import { type Answering, jsonAnswer } from "./answer.js";
import { type EndpointRequest, findRoute, parseTarget, type ReadRoute, type WriteRoute } from "./app.js";
import { type CommitOutcome, type CommitWaiter, CommitWaiters } from "./commit-waiters.js";
import { RequestError, toRequestError } from "./errors.js";
import { Forwarding } from "./forwarding.js";
import { Histories } from "./histories.js";
import { keyQuery } from "./history-query.js";
import { answerJoin, readJoiner } from "./join.js";
import type { Peers } from "./peers.js";
import { ReadWaiters } from "./read-waiters.js";
import { type ReceiptForm, Receipts } from "./receipts.js";
import type { ReplicatedLog } from "./replicated-log.js";
import { ServedJoiners } from "./served-joiners.js";
import { type ServiceRoute, serviceRoutes } from "./service-routes.js";
import type { StoredEntries } from "./stored-entries.js";
import type { ClientRequest, CoreConfig, NodeEvent, Output } from "./types.js";

/** At most this many requests wait for their commit; a further one is refused. */
const WAITING_MAX = 20_000;
/** A forwarded request waits this much longer than the primary does, in ms, so that the primary's answer is the one that arrives. */
const FORWARDING_SLACK_MS = 500;
/** What a removed node answers to all but questions about itself: what it could say of the application gets older without end. */
const RETIRED = "This node was removed from its service. Send this request to another node.";
/** Clients are not tied to a session yet: every forwarded request runs in session 0 (ledger spec §13). */
const NO_SESSION = 0;

type RequestOutput = Extract<Output, { type: "respond" | "event" }>;

export class ClientRequests {
  readonly #config: CoreConfig;
  readonly #log: ReplicatedLog;
  readonly #peers: Peers;
  readonly #routes: readonly ServiceRoute[];
  readonly #waiters = new CommitWaiters();
  readonly #reads = new ReadWaiters();
  readonly #forwarding = new Forwarding();
  readonly #receipts: Receipts;
  readonly #histories: Histories;
  readonly #joiners: ServedJoiners;
  readonly #outputs: RequestOutput[] = [];

  constructor(
    config: CoreConfig,
    log: ReplicatedLog,
    peers: Peers,
    stored: StoredEntries,
    state: (nowMs: number) => NodeState,
  ) {
    this.#config = config;
    this.#log = log;
    this.#peers = peers;
    this.#receipts = new Receipts(log, stored);
    this.#histories = new Histories(log, stored);
    this.#joiners = new ServedJoiners(log, stored);
    this.#routes = [...serviceRoutes(config, log, state), ...config.app.routes];
  }

  pollOutput(): RequestOutput | undefined {
    return this.#outputs.shift();
  }

  get waitUntilMs(): number {
    const deadlineMs = Math.min(this.#waiters.nextDeadlineMs, this.#forwarding.nextDeadlineMs);
    const longMs = Math.min(this.#receipts.waitUntilMs, this.#histories.waitUntilMs);
    return Math.min(deadlineMs, this.#reads.nextDeadlineMs, longMs);
  }

  handleRequest(request: ClientRequest, nowMs: number): void {
    const answer: Answering = (given) => this.#outputs.push({ type: "respond", id: request.id, ...given });
    guard(answer, () => this.#dispatch(request, answer, nowMs, () => this.#forward(request, nowMs)));
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
      const { status, body } = decodeForwardedResponse(plaintext);
      const id = this.#forwarding.takeAnswered(header.commandId, from);
      if (id !== undefined) this.#outputs.push({ type: "respond", id, status, body });
      return;
    }
    const command = decodeForwardedRequest(plaintext);
    const answer: Answering = ({ status, body }) =>
      this.#respondForwarded(from, header.commandId, command.sessionId, status, body, nowMs);
    const request = { ...command, id: header.commandId };
    guard(answer, () => this.#dispatch(request, answer, nowMs, refuseSecondForwarding));
  }

  handleCommit(at: Seqno): void {
    this.#waiters.handleCommit(at, (txId) => this.#log.replica.status(txId));
    this.#receipts.handleCommit();
    this.#histories.handleCommit();
  }

  handleReadReady(token: number): void {
    this.#reads.handleReady(token);
  }

  handleReadRefused(token: number, reason: ReadRefusal): void {
    this.#reads.handleRefused(token, reason);
  }

  /** @param signedTo - The last signature there was: what comes after it is lost, what it covered may commit yet. */
  handleRollback(to: Seqno, signedTo: Seqno): void {
    this.#waiters.handleRollback(to, signedTo);
  }

  handleTick(nowMs: number): void {
    this.#waiters.handleTick(nowMs);
    this.#receipts.handleTick(nowMs);
    this.#histories.handleTick(nowMs);
    this.#reads.handleTick(nowMs);
    this.#giveUp(this.#forwarding.takeExpired(nowMs), "The primary did not answer in time: it may have no quorum.");
  }

  /** A view has begun: the primary of the one before has lost its place, and most likely answers nothing more. */
  handleView(view: View): void {
    this.#giveUp(this.#forwarding.takeBefore(view), "The primary changed before it answered.");
  }

  /** This node has left the service, and hears no more of what becomes of the writes it has under way. */
  handleRetired(): void {
    this.#waiters.handleRetired();
    this.#giveUp(this.#forwarding.takeAll(), "This node was removed from the service before the primary answered.");
  }

  #giveUp(requests: readonly number[], why: string): void {
    for (const id of requests) {
      const again = "A write may still commit: send this request again, with the same key.";
      const { status, answer } = new RequestError("no-quorum", `${why} ${again}`);
      this.#outputs.push({ type: "respond", id, ...jsonAnswer(status, answer) });
    }
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
        if (isSerializable(query.consistency)) this.#read(route, input, answer);
        else if (this.#log.standing.role === "primary") this.#readNewest(route, input, answer, nowMs);
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
        if (this.#log.standing.role === "primary") this.#execute(route, input, answer, nowMs);
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

  /** From what this node knows to be committed. */
  #read(route: ReadRoute, input: EndpointRequest<Uint8Array>, answer: Answering): void {
    const reply = route.run(this.#log.store.read("committed"), input);
    answer(jsonAnswer(reply.status ?? 200, reply.body));
  }

  /** As primary, once it is certain that nothing newer is committed elsewhere: then every write answered before is seen. */
  #readNewest(route: ReadRoute, input: EndpointRequest<Uint8Array>, answer: Answering, nowMs: number): void {
    const deadlineMs = nowMs + this.#config.timing.commitTimeoutMs;
    this.#whenNewest(() => guard(answer, () => this.#read(route, input, answer)), answer, deadlineMs, nowMs);
  }

  #whenNewest(ready: () => void, answer: Answering, deadlineMs: number, nowMs: number): void {
    const refuse = (error: RequestError) => answer(jsonAnswer(error.status, error.answer));
    this.#log.read(this.#reads.add({ deadlineMs, ready, refuse }), nowMs);
  }

  /** Runs a write on this primary. Its answer waits until what it wrote, or else everything it may have seen, is committed. */
  #execute(route: WriteRoute, input: EndpointRequest<Uint8Array>, answer: Answering, nowMs: number): void {
    if (this.#waiters.size >= WAITING_MAX) {
      throw new RequestError(
        "overloaded",
        "Too many requests wait for their commit. Send this one again a little later.",
      );
    }
    const { store, replica } = this.#log;
    const tx = store.begin();
    const reply = route.run(tx, input, nowMs);
    const writeSet = tx.writeSet();
    const seen = writeSet.length > 0 ? this.#log.append(writeSet, nowMs, reply.claimsDigest) : this.#log.lastTxId;
    const txId = formatTxId(reply.txId ?? seen);
    const finish = (outcome: CommitOutcome | "pending"): void => {
      if (outcome === "committed" || outcome === "pending") {
        answer(jsonAnswer(reply.status ?? 200, { status: outcome, ...reply.body, txId }));
      } else {
        const error = this.#failure(outcome, seen);
        answer(jsonAnswer(error.status, error.answer));
      }
    };
    const deadlineMs = nowMs + this.#config.timing.commitTimeoutMs;
    const isCommitted = seen.seqno <= replica.commitSeqno;
    if (input.query.commit === "async") finish(isCommitted ? "committed" : "pending");
    else if (writeSet.length > 0) this.#waiters.add({ txId: seen, deadlineMs, finish });
    else if (isCommitted) this.#whenNewest(() => finish("committed"), answer, deadlineMs, nowMs);
    else this.#whenBoth({ txId: seen, deadlineMs, finish }, answer, nowMs);
  }

  /** A handler that wrote nothing has only read: all it may have seen must be committed, and have been the newest. */
  #whenBoth({ txId, deadlineMs, finish }: CommitWaiter, answer: Answering, nowMs: number): void {
    let [committed, newest, ended] = [false, false, false];
    const next = (outcome: CommitOutcome): void => {
      if (ended || (outcome === "committed" && !(committed && newest))) return;
      ended = true;
      finish(outcome);
    };
    this.#waiters.add({
      txId,
      deadlineMs,
      finish: (outcome) => {
        committed = outcome === "committed";
        next(outcome);
      },
    });
    const ready = () => {
      newest = true;
      next("committed");
    };
    const refused: Answering = (given) => {
      if (!ended) answer(given);
      ended = true;
    };
    this.#whenNewest(ready, refused, deadlineMs, nowMs);
  }

  #failure(outcome: "lost" | "deadline" | "retired", txId: TxId): RequestError {
    if (outcome !== "lost") {
      const what = outcome === "deadline" ? "No quorum confirmed this write in time" : "This node left the service";
      const why = `${what}. It may still commit`;
      return new RequestError("no-quorum", `${why}: send it again with the same key, or ask for its status.`, txId);
    }
    return this.#log.replica.primary === undefined
      ? new RequestError(
          "no-quorum",
          "This node lost its quorum and took this write back; it had no effect. Send it again.",
          txId,
        )
      : new RequestError(
          "lost",
          "This write was taken back when the primary changed; it had no effect. Send it again.",
          txId,
        );
  }

  /** Sends a client's write, or a read of the newest state, on to the primary, encrypted with the channel's key. */
  #forward(request: ClientRequest, nowMs: number): void {
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
    const sent = this.#sendForwarded(
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

  #respondForwarded(
    to: NodeId,
    commandId: number,
    sessionId: number,
    status: number,
    body: Uint8Array,
    nowMs: number,
  ): void {
    const plaintext = encodeForwardedResponse({ sessionId, status, body });
    this.#sendForwarded(to, { type: "response", commandId, terminateSession: false }, plaintext, nowMs);
  }

  #sendForwarded(to: NodeId, header: ForwardedHeader, plaintext: Uint8Array, nowMs: number): boolean {
    const sent = this.#peers.sendEncrypted(to, FRAME_FORWARDED, encodeForwardedHeader(header), plaintext, nowMs);
    const { type: what, commandId } = header;
    if (sent)
      this.#observe({
        type: "forwarded",
        peer: to,
        direction: "sent",
        what,
        commandId,
        bytes: plaintext.length,
        atMs: nowMs,
      });
    return sent;
  }

  #observe(event: NodeEvent): void {
    if (this.#config.observe) this.#outputs.push({ type: "event", event });
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

function guard(answer: Answering, run: () => void): void {
  try {
    run();
  } catch (error) {
    const refusal = toRequestError(error);
    answer(jsonAnswer(refusal.status, refusal.answer));
  }
}
