/**
 * Makes the core's decisions durable, in their order, in groups: while one fdatasync runs, what arrives meanwhile waits and shares the
 * next. One queue, one worker.
 */
import { LedgerError } from "@sealane/ledger";
import type { FileLedger } from "@sealane/ledger/files";
import { type Seqno, seqno } from "@sealane/wire";
import type { HardState } from "../core/log-state.js";
import type { Output } from "../core/types.js";
import type { DataDir } from "./data-dir.js";
import { NodeError } from "./errors.js";

export type StorageOutput = Extract<Output, { type: "append" | "truncate" | "secrets" | "persist" | "commit" }>;

/** The commit hint on disk is at most this old, in ms, and never older than a reconfiguration. It spares a restarted node some waiting. */
const COMMIT_HINT_MS = 1_000;

export class Storage {
  readonly #ledger: FileLedger;
  readonly #dataDir: DataDir;
  readonly #handlers: { onPersisted(token: number): void; onFailed(error: NodeError): void };
  readonly #nowMs: () => number;
  #queue: StorageOutput[] = [];
  #hardState: HardState;
  #hintWrittenMs = 0;
  #working: Promise<void> | undefined;

  constructor(
    ledger: FileLedger,
    dataDir: DataDir,
    hardState: HardState,
    nowMs: () => number,
    handlers: { onPersisted(token: number): void; onFailed(error: NodeError): void },
  ) {
    this.#ledger = ledger;
    this.#dataDir = dataDir;
    this.#hardState = hardState;
    this.#nowMs = nowMs;
    this.#handlers = handlers;
  }

  handle(output: StorageOutput): void {
    this.#queue.push(output);
    // Not before the turn is over: all it decided makes one group, and one fdatasync.
    this.#working ??= Promise.resolve().then(() => this.#work());
  }

  /** Finishes the queue, notes the commit, and closes the files. */
  async close(): Promise<void> {
    await this.#working;
    await this.#writeState();
    await this.#ledger.close();
  }

  async #work(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const group = this.#queue;
        this.#queue = [];
        await this.#carryOut(group);
      }
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      this.#handlers.onFailed(new NodeError("storage-failed", `The ledger cannot be written: ${why}`, { cause }));
    } finally {
      this.#working = undefined;
    }
  }

  async #carryOut(group: readonly StorageOutput[]): Promise<void> {
    let token: number | undefined;
    let isUrgent = false;
    for (const output of group) {
      switch (output.type) {
        case "append":
          await this.#append(output.entries);
          break;
        case "truncate":
          this.#ledger.truncate(output.to);
          break;
        case "secrets":
          await this.#ledger.flush(); // what was taken back is gone before its secret is
          await this.#dataDir.writeLedgerSecrets(output.secrets);
          break;
        case "commit":
          this.#ledger.commit(output.seqno);
          this.#noteCommit(output.seqno);
          isUrgent ||= output.reconfigures;
          break;
        case "persist":
          token = output.token;
          if (output.hardState === undefined) break;
          isUrgent = true;
          this.#hardState = { ...output.hardState, commitSeqno: this.#hardState.commitSeqno };
          break;
        default:
          output satisfies never;
      }
    }
    await this.#ledger.flush();
    if (isUrgent || this.#nowMs() - this.#hintWrittenMs >= COMMIT_HINT_MS) await this.#writeState();
    if (token !== undefined) this.#handlers.onPersisted(token);
  }

  async #append(entries: Extract<StorageOutput, { type: "append" }>["entries"]): Promise<void> {
    try {
      this.#ledger.append(entries);
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== "queue-full") throw error;
      await this.#ledger.flush(); // an empty queue takes a group of any size; the core bounds how much is uncommitted
      this.#ledger.append(entries);
    }
  }

  #noteCommit(at: Seqno): void {
    this.#hardState = { ...this.#hardState, commitSeqno: seqno(Math.max(at, this.#hardState.commitSeqno)) };
  }

  async #writeState(): Promise<void> {
    this.#hintWrittenMs = this.#nowMs();
    const { view, votedFor, commitSeqno } = this.#hardState;
    await this.#dataDir.writeState({ version: 1, view, votedFor: votedFor ?? null, commitSeqno });
  }
}
