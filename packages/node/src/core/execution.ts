/**
 * Reads and writes on this node itself: a read over what is committed, once that is certain to be the newest where it must be; a write in a
 * transaction, answered once it is committed.
 */
import type { ReadRefusal } from "@sealane/consensus";
import { formatTxId, type Seqno, type TxId } from "@sealane/wire";
import { type Answering, guard, jsonAnswer } from "./answer.js";
import type { EndpointRequest, ReadRoute, WriteRoute } from "./app.js";
import { type CommitOutcome, type CommitWaiter, CommitWaiters } from "./commit-waiters.js";
import { RequestError } from "./errors.js";
import { ReadWaiters } from "./read-waiters.js";
import type { ReplicatedLog } from "./replicated-log.js";

/** At most this many requests wait for their commit; a further one is refused. */
const WAITING_MAX = 20_000;

export class Execution {
  readonly #log: ReplicatedLog;
  readonly #commitTimeoutMs: number;
  readonly #waiters = new CommitWaiters();
  readonly #reads = new ReadWaiters();

  /** @param commitTimeoutMs - How long an answer may wait. */
  constructor(log: ReplicatedLog, commitTimeoutMs: number) {
    this.#log = log;
    this.#commitTimeoutMs = commitTimeoutMs;
  }

  get nextDeadlineMs(): number {
    return Math.min(this.#waiters.nextDeadlineMs, this.#reads.nextDeadlineMs);
  }

  /** From what this node knows to be committed. */
  read(route: ReadRoute, input: EndpointRequest<Uint8Array>, answer: Answering): void {
    const reply = route.run(this.#log.store.read("committed"), input);
    answer(jsonAnswer(reply.status ?? 200, reply.body));
  }

  /** As primary, once it is certain that nothing newer is committed elsewhere: then every write answered before is seen. */
  readNewest(route: ReadRoute, input: EndpointRequest<Uint8Array>, answer: Answering, nowMs: number): void {
    const deadlineMs = nowMs + this.#commitTimeoutMs;
    this.#whenNewest(() => guard(answer, () => this.read(route, input, answer)), answer, deadlineMs, nowMs);
  }

  /** Runs a write on this primary. Its answer waits until what it wrote, or else everything it may have seen, is committed. */
  write(route: WriteRoute, input: EndpointRequest<Uint8Array>, answer: Answering, nowMs: number): void {
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
    const deadlineMs = nowMs + this.#commitTimeoutMs;
    const isCommitted = seen.seqno <= replica.commitSeqno;
    if (input.query.commit === "async") finish(isCommitted ? "committed" : "pending");
    else if (writeSet.length > 0) this.#waiters.add({ txId: seen, deadlineMs, finish });
    else if (isCommitted) this.#whenNewest(() => finish("committed"), answer, deadlineMs, nowMs);
    else this.#whenBoth({ txId: seen, deadlineMs, finish }, answer, nowMs);
  }

  handleCommit(at: Seqno): void {
    this.#waiters.handleCommit(at, (txId) => this.#log.replica.status(txId));
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
    this.#reads.handleTick(nowMs);
  }

  /** As `CommitWaiters.handleRetired`. */
  handleRetired(): void {
    this.#waiters.handleRetired();
  }

  #whenNewest(ready: () => void, answer: Answering, deadlineMs: number, nowMs: number): void {
    const refuse = (error: RequestError) => answer(jsonAnswer(error.status, error.answer));
    this.#log.read(this.#reads.add({ deadlineMs, ready, refuse }), nowMs);
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
}
