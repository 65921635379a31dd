/**
 * The snapshots a node takes (ledger spec §10.3): of the state at a committed signature that ends a chunk, once enough entries have come
 * since the last. Every node takes its own, as the same state makes the same bytes; the primary writes the evidence, and a node keeps its
 * snapshot if that is what the evidence says. So nothing has to be sent, and a snapshot that differs from the primary's is dropped.
 *
 * One at a time: captured when its signature commits, encoded a step in each turn, kept provisionally when its evidence is in the log, and
 * for good when that is committed.
 */
import type { CryptoSuite } from "@sealane/crypto";
import type { Store } from "@sealane/kv";
import {
  type EncodedSnapshot,
  FLAG_CHUNK_ENDS_AFTER,
  type LedgerEntry,
  LedgerError,
  type LedgerSecrets,
  type SnapshotInput,
  snapshotSteps,
} from "@sealane/ledger";
import { hex, type Seqno, seqno, type TxId } from "@sealane/wire";
import { SINGLE, snapshotEvidences } from "./tables.js";

/** What becomes of a snapshot, for the host to do. */
export type SnapshotOutput =
  /** Keep it, provisionally. */
  | { readonly type: "snapshot"; readonly seqno: Seqno; readonly evidence: Seqno; readonly bytes: Uint8Array }
  /** Its evidence was rolled back: forget it. */
  | { readonly type: "snapshot-dropped"; readonly seqno: Seqno; readonly evidence: Seqno }
  /** Its evidence is committed: the receipt of that makes it a snapshot. */
  | { readonly type: "snapshot-proven"; readonly seqno: Seqno; readonly evidence: TxId };

type Phase =
  | { readonly type: "idle" }
  | { readonly type: "encoding"; readonly steps: ReturnType<typeof snapshotSteps> }
  | { readonly type: "encoded"; readonly snapshot: EncodedSnapshot }
  | { readonly type: "evident"; readonly snapshot: EncodedSnapshot; readonly evidence: TxId };

const IDLE: Phase = { type: "idle" };

export class Snapshots {
  readonly #suite: CryptoSuite;
  readonly #store: Store;
  /** Entries from one to the next, at least; `Infinity` for none at all. */
  readonly #every: number;
  readonly #outputs: SnapshotOutput[] = [];
  #phase: Phase = IDLE;
  /** Uncommitted signatures that end a chunk, ascending. */
  #chunkEnds: Seqno[] = [];

  constructor(suite: CryptoSuite, store: Store, every: number | undefined) {
    this.#suite = suite;
    this.#store = store;
    this.#every = every ?? Number.POSITIVE_INFINITY;
  }

  pollOutput(): SnapshotOutput | undefined {
    return this.#outputs.shift();
  }

  /** There is more to do at once. */
  get isEncoding(): boolean {
    return this.#phase.type === "encoding";
  }

  /** A snapshot that wants its evidence written, if this node is the primary. */
  get wantsEvidence(): EncodedSnapshot | undefined {
    return this.#phase.type === "encoded" ? this.#phase.snapshot : undefined;
  }

  /** Whether the signature about to be appended at `at` should end a chunk, so that a snapshot can be taken there. */
  isDue(at: Seqno): boolean {
    return (
      this.#phase.type === "idle" &&
      this.#isFar(at, "latest") &&
      !this.#chunkEnds.some((end) => this.#isFar(end, "latest"))
    );
  }

  handleAppend({ seqno: at, flags, isSignature }: LedgerEntry): void {
    if (isSignature && (flags & FLAG_CHUNK_ENDS_AFTER) !== 0) this.#chunkEnds.push(at);
  }

  handleRollback(to: Seqno): void {
    this.#chunkEnds = this.#chunkEnds.filter((end) => end <= to);
    if (this.#phase.type !== "evident" || this.#phase.evidence.seqno <= to) return;
    const { snapshot, evidence } = this.#phase;
    this.#outputs.push({ type: "snapshot-dropped", seqno: snapshot.seqno, evidence: evidence.seqno });
    this.#phase = { type: "encoded", snapshot };
  }

  /** @returns the next chunk end on the way to committing `to`, once each: commit it by itself, and see whether to `capture`. */
  takeChunkEnd(to: Seqno): Seqno | undefined {
    const [end] = this.#chunkEnds;
    if (end === undefined || end > to) return undefined;
    this.#chunkEnds.shift();
    return end;
  }

  /**
   * Whether the state at `at`, which is the committed one now, is to be captured. Every node finds the same, as it goes by that state; but one
   * that reads entries from long ago does not stop for snapshots that are old already.
   */
  wantsState(at: Seqno): boolean {
    return this.#phase.type === "idle" && this.#isFar(at, "committed") && this.#lastIn("latest") <= at;
  }

  /** @param input - The state as it is committed now; its maps are read before this returns. */
  capture(secrets: LedgerSecrets, input: SnapshotInput): void {
    this.#phase = { type: "encoding", steps: snapshotSteps(this.#suite, secrets, input) };
    this.#step();
  }

  /** One turn's work. @param committed - The commit seqno. */
  handleTurn(committed: Seqno): void {
    if (this.#phase.type === "encoding") this.#step();
    if (this.#phase.type === "encoded") this.#lookForEvidence(this.#phase.snapshot);
    if (this.#phase.type !== "evident" || this.#phase.evidence.seqno > committed) return;
    const { snapshot, evidence } = this.#phase;
    this.#outputs.push({ type: "snapshot-proven", seqno: snapshot.seqno, evidence });
    this.#phase = IDLE;
  }

  #step(): void {
    if (this.#phase.type !== "encoding") return;
    try {
      const step = this.#phase.steps.next();
      if (step.done === true) this.#phase = { type: "encoded", snapshot: step.value };
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      this.#phase = IDLE; // the state is too large for one: the ledger alone goes on
    }
  }

  #lookForEvidence(snapshot: EncodedSnapshot): void {
    const table = this.#store.read("latest").map(snapshotEvidences);
    const found = table.get(SINGLE);
    const evidence = table.versionOf(SINGLE);
    if (found === undefined || evidence === undefined || found.version < snapshot.seqno) return;
    if (found.version > snapshot.seqno || found.hash !== hex(snapshot.digest)) {
      this.#phase = IDLE;
      return;
    }
    this.#phase = { type: "evident", snapshot, evidence };
    const { seqno: at, bytes } = snapshot;
    this.#outputs.push({ type: "snapshot", seqno: at, evidence: evidence.seqno, bytes });
  }

  #isFar(at: Seqno, state: "latest" | "committed"): boolean {
    return at - this.#lastIn(state) >= this.#every;
  }

  #lastIn(state: "latest" | "committed"): Seqno {
    return this.#store.read(state).map(snapshotEvidences).get(SINGLE)?.version ?? seqno(0);
  }
}
