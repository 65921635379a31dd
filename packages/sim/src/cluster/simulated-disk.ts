/**
 * A node's disk: one worker that makes groups of what the core decided durable, as the host's storage does (node `host/storage.ts`,
 * ledger `files/`), and every way a disk fails. What a power failure leaves is read back with the rules of the real repair.
 *
 * Simplifications: the ledger is one file that is never finished, of which the beginning can be archived; the state file (view, vote, commit
 * hint) is replaced as a whole.
 */
import type { HardState, KeptSecret, Output } from "@sealane/node/core";
import { type NodeId, type Seqno, seqno, view } from "@sealane/wire";
import type { SeededRandom } from "../random.js";
import { LEDGER_HEADER_BYTES, readLedgerImage } from "./ledger-image.js";

export type DiskOutput = Extract<Output, { type: "append" | "truncate" | "secrets" | "persist" | "commit" }>;

/** What is left of unsynced writes when power fails: nothing; their beginning; any of their sectors. */
export type PowerLoss = "lost-suffix" | "torn-write" | "reordered-writes";

/**
 * Where power fails. `write`: a group with entries is about to be written. `sync`: a group with entries is written, and not durable yet.
 * `vote`: the same of a view in which the node voted for another one than `self`.
 */
export type CrashPoint =
  | { readonly at: "write" | "sync"; readonly how: PowerLoss }
  | { readonly at: "vote"; readonly self: NodeId; readonly how: PowerLoss };

/** What a group that is durable now brought. */
export interface Synced {
  readonly entries: boolean;
  /** In a view of which that is news. */
  readonly votedFor: NodeId | undefined;
}

/** How a flush of the worker ended. */
export type FlushResult =
  | { readonly type: "idle" }
  | { readonly type: "durable"; readonly token: number | undefined }
  | { readonly type: "failed" }
  | { readonly type: "power-lost"; readonly how: PowerLoss };

export type Recovery =
  /** `lostSynced`: entries that had been synced are gone without a trace, which this node cannot know. */
  | {
      readonly type: "opened";
      readonly entries: readonly Uint8Array[];
      readonly hardState: HardState;
      readonly lostSynced: boolean;
    }
  | { readonly type: "refused"; readonly why: "corrupt" | "unreadable" };

/** The least that disks write as a whole. */
const SECTOR_BYTES = 512;
/** The commit hint on disk is at most this old, in ms, and never older than a reconfiguration (node `host/storage.ts`). */
const COMMIT_HINT_MS = 1_000;
const NOTHING_YET: HardState = { view: view(0), votedFor: undefined, commitSeqno: seqno(0) };

type Change =
  | { readonly type: "append"; readonly entries: readonly Uint8Array[] }
  | { readonly type: "truncate"; readonly to: number; readonly removed: readonly Uint8Array[] };

export class SimulatedDisk {
  readonly #random: SeededRandom;
  #firstSeqno = seqno(1);
  /** What a reader of the files finds, in order from `#firstSeqno`. */
  #entries: Uint8Array[] = [];
  /** Changes of `#entries` that are not durable, oldest first; the first `#writing` of them are being written. */
  #changes: Change[] = [];
  #writing = 0;
  #isFlushing = false;
  #doneMs = Number.POSITIVE_INFINITY;
  /** Of the flush under way, and of what is queued behind it. */
  #token: number | undefined;
  #queuedToken: number | undefined;
  #nextHardState: HardState | undefined;
  #queuedHardState: HardState | undefined;
  #hasQueued = false;
  #hardState = NOTHING_YET;
  #secrets: readonly KeptSecret[] | undefined;
  #queuedSecrets: readonly KeptSecret[] | undefined;
  #nextSecrets: readonly KeptSecret[] | undefined;
  /** Committed as far as the flush under way, or what is queued behind it, says. */
  #commitSeqno = seqno(0);
  #queuedCommitSeqno = seqno(0);
  /** The hint must not wait: of the flush under way, and of what is queued behind it. */
  #notes = false;
  #queuedNotes = false;
  #hintWrittenMs = 0;
  /** The file as a crash or damage left it, until it is opened again. */
  #image: Uint8Array | undefined;
  /** Entries that must be there when it is opened again. */
  #promised = 0;

  /** How long a sync takes, [least, most]. */
  latencyMs: readonly [min: number, max: number] = [0, 0];
  /** The first flush that gets there ends in a power failure. */
  armed: CrashPoint | undefined;
  /** Told of each group that has become durable, before its node is. */
  onSynced: ((synced: Synced) => void) | undefined;
  failsToWrite = false;
  failsToRead = false;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** Of the first entry; where it will be when there is none. What came before a snapshot stands for. */
  get firstSeqno(): Seqno {
    return this.#firstSeqno;
  }

  /** Of the last entry; one before the first when there is none. */
  get lastSeqno(): Seqno {
    return seqno(this.#firstSeqno - 1 + this.#entries.length);
  }

  /** The last entry that a loss of power would leave. */
  get syncedSeqno(): Seqno {
    let last: number = this.lastSeqno;
    for (const change of this.#changes.toReversed()) {
      last = change.type === "append" ? last - change.entries.length : last + change.removed.length;
    }
    const lowest = this.#changes.flatMap((change) => (change.type === "truncate" ? [change.to] : []));
    return seqno(Math.min(last, ...lowest));
  }

  /** From `firstSeqno` on. */
  get entries(): readonly Uint8Array[] {
    return this.#entries;
  }

  /** View, vote and commit hint as they would be read back. */
  get hardState(): HardState {
    return this.#hardState;
  }

  /** The ledger secrets as they would be read back; undefined before any have changed. */
  get secrets(): readonly KeptSecret[] | undefined {
    return this.#secrets;
  }

  /** When the flush under way ends; `Infinity` when there is none. */
  get dueMs(): number {
    return this.#doneMs;
  }

  handle(output: DiskOutput): void {
    this.#hasQueued = true;
    switch (output.type) {
      case "append": {
        const entries = output.entries.map(({ seqno: at, bytes }, index) => {
          if (at !== this.lastSeqno + index + 1)
            throw new Error(`entry ${at} does not follow ${this.lastSeqno + index}`);
          return bytes;
        });
        this.#entries.push(...entries);
        this.#changes.push({ type: "append", entries });
        break;
      }
      case "truncate":
        this.#changes.push({ type: "truncate", to: output.to, removed: this.#cut(output.to) });
        break;
      case "secrets":
        this.#queuedSecrets = output.secrets;
        break;
      case "persist":
        this.#queuedToken = output.token;
        this.#queuedHardState = output.hardState ?? this.#queuedHardState;
        break;
      case "commit":
        this.#queuedCommitSeqno = output.seqno;
        this.#queuedNotes ||= output.reconfigures;
        break;
      default:
        output satisfies never;
    }
  }

  /** Entries as a reader finds them: as many as fit, one at least; none when the disk cannot be read. */
  read({ from, through, bytesMax }: Extract<Output, { type: "read" }>): readonly Uint8Array[] {
    if (this.failsToRead || from < this.#firstSeqno) return [];
    let bytes = 0;
    const entries = this.#entries.slice(from - this.#firstSeqno, through - this.#firstSeqno + 1);
    const end = entries.findIndex((entry, index) => {
      bytes += entry.length;
      return index > 0 && bytes > bytesMax;
    });
    return end < 0 ? entries : entries.slice(0, end);
  }

  /** Goes on with the work: ends a flush that is due, begins the next one. Call again until it is idle. */
  work(nowMs: number): FlushResult {
    if (this.#isFlushing) return nowMs >= this.#doneMs ? this.#end(nowMs) : IDLE;
    if (!this.#hasQueued) return IDLE;
    this.#hasQueued = false;
    this.#writing = this.#changes.length;
    if (this.armed?.at === "write" && this.#writing > 0) return this.#losePower(this.armed);
    if (this.failsToWrite && this.#writing > 0) return { type: "failed" };
    this.#token = this.#queuedToken;
    this.#nextHardState = this.#queuedHardState;
    this.#nextSecrets = this.#queuedSecrets;
    this.#queuedSecrets = undefined;
    this.#commitSeqno = seqno(Math.max(this.#commitSeqno, this.#queuedCommitSeqno));
    this.#notes = this.#queuedNotes;
    this.#queuedNotes = false;
    this.#queuedToken = undefined;
    this.#queuedHardState = undefined;
    const [minMs, maxMs] = this.latencyMs;
    if (maxMs === 0) return this.#end(nowMs);
    this.#isFlushing = true;
    this.#doneMs = nowMs + minMs + this.#random.upTo(maxMs - minMs);
    return IDLE;
  }

  /** Power fails. What was synced stays; of the group that was being written, what `how` says. */
  crash(how: PowerLoss): void {
    const changes = this.#changes.splice(0);
    for (const change of changes.toReversed()) this.#undo(change);
    this.#promised = this.#entries.length;
    const written = how === "lost-suffix" ? 0 : this.#random.upTo(this.#writing);
    let synced = this.#entries.length;
    for (const change of changes.slice(0, written)) {
      if (change.type === "append") this.#entries.push(...change.entries);
      else {
        // A cut is synced at once, and so is all that was written before it.
        this.#cut(change.to);
        synced = this.#entries.length;
        this.#promised = Math.min(this.#promised, synced);
      }
    }
    this.#image = this.#leave(how, synced);
    this.#forgetWork();
  }

  /** An empty ledger goes on from a snapshot. */
  startAfter(at: Seqno): void {
    if (this.#entries.length > 0) throw new Error(`the ledger has entries from ${this.#firstSeqno} on`);
    this.#firstSeqno = seqno(at + 1);
  }

  /** The whole ledger is removed: the node begins again, from a snapshot at `at`. */
  startOver(at: Seqno): void {
    this.#entries = [];
    this.#image = undefined;
    this.#promised = 0;
    this.#secrets = undefined; // what the node is told now stands in their place
    this.startAfter(at);
  }

  /** The chunks of committed entries up to `to` are moved away. @returns whether there were any. */
  archive(to: Seqno): boolean {
    const count = Math.min(to, this.#hardState.commitSeqno) - this.#firstSeqno + 1;
    if (count <= 0 || count >= this.#entries.length || this.#image !== undefined) return false;
    this.#entries.splice(0, count);
    this.#firstSeqno = seqno(this.#firstSeqno + count);
    return true;
  }

  /** One bit of the ledger changes while nobody writes. @param at - Where, from 0 to 1. @returns whether there was any. */
  rot(at: number): boolean {
    const image = this.#stored();
    const bits = (image.length - LEDGER_HEADER_BYTES) * 8;
    if (bits <= 0) return false;
    const bit = Math.min(bits - 1, Math.floor(at * bits));
    const byte = LEDGER_HEADER_BYTES + (bit >>> 3);
    image[byte] = (image[byte] ?? 0) ^ (1 << (bit & 7));
    return true;
  }

  /** The ledger loses its last bytes. @returns whether there were any. */
  cutOff(bytes: number): boolean {
    const image = this.#stored();
    if (image.length <= LEDGER_HEADER_BYTES) return false;
    this.#image = image.slice(0, Math.max(LEDGER_HEADER_BYTES, image.length - bytes));
    return true;
  }

  /**
   * Opens the ledger again as a node does that comes back.
   * @param isIntact - Whether an entry can be read by itself.
   */
  open(isIntact: (entry: Uint8Array) => boolean): Recovery {
    if (this.failsToRead) return { type: "refused", why: "unreadable" };
    const found = readLedgerImage(this.#stored(), this.#firstSeqno, this.#hardState.commitSeqno, isIntact);
    if (found === "corrupt") return { type: "refused", why: "corrupt" };
    const lostSynced = found.length < this.#promised;
    this.#entries = found;
    this.#promised = found.length;
    this.#image = undefined;
    return { type: "opened", entries: found, hardState: this.#hardState, lostSynced };
  }

  #end(nowMs: number): FlushResult {
    const { armed } = this;
    const votedFor = this.#newVote;
    if (armed?.at === "sync" && this.#writing > 0) return this.#losePower(armed);
    if (armed?.at === "vote" && votedFor !== undefined && votedFor !== armed.self) return this.#losePower(armed);
    const synced = { entries: this.#writing > 0, votedFor };
    const result = this.#finish(nowMs);
    this.onSynced?.(synced);
    return result;
  }

  #losePower({ how }: CrashPoint): FlushResult {
    this.armed = undefined;
    return { type: "power-lost", how };
  }

  /** Whom the group under way says that the node voted for, if that is not on the disk yet. */
  get #newVote(): NodeId | undefined {
    const next = this.#nextHardState;
    if (next?.votedFor === undefined) return undefined;
    const isKnown = next.view === this.#hardState.view && next.votedFor === this.#hardState.votedFor;
    return isKnown ? undefined : next.votedFor;
  }

  #finish(nowMs: number): FlushResult {
    const token = this.#token;
    this.#changes.splice(0, this.#writing);
    this.#writing = 0;
    this.#isFlushing = false;
    this.#doneMs = Number.POSITIVE_INFINITY;
    const voted = this.#nextHardState;
    if (voted !== undefined || this.#notes || nowMs - this.#hintWrittenMs >= COMMIT_HINT_MS) {
      this.#hintWrittenMs = nowMs;
      this.#hardState = { ...(voted ?? this.#hardState), commitSeqno: this.#commitSeqno };
    }
    this.#nextHardState = undefined;
    this.#secrets = this.#nextSecrets ?? this.#secrets;
    this.#nextSecrets = undefined;
    this.#token = undefined;
    return { type: "durable", token };
  }

  /** @returns the entries behind `to`, which are gone. */
  #cut(to: number): Uint8Array[] {
    return this.#entries.splice(Math.max(to - this.#firstSeqno + 1, 0));
  }

  #undo(change: Change): void {
    if (change.type === "append") this.#entries.length -= change.entries.length;
    else this.#entries.push(...change.removed);
  }

  #forgetWork(): void {
    this.#writing = 0;
    this.#isFlushing = false;
    this.#doneMs = Number.POSITIVE_INFINITY;
    this.#token = undefined;
    this.#queuedToken = undefined;
    this.#nextHardState = undefined;
    this.#queuedHardState = undefined;
    this.#nextSecrets = undefined;
    this.#queuedSecrets = undefined;
    this.#hasQueued = false;
    this.#notes = false;
    this.#queuedNotes = false;
    this.#commitSeqno = this.#hardState.commitSeqno;
    this.#queuedCommitSeqno = this.#hardState.commitSeqno;
  }

  #stored(): Uint8Array {
    this.#image ??= imageOf(this.#entries);
    return this.#image;
  }

  /** The file after a power failure: whole up to `synced` entries, what follows as `how` says. Leaves in `#entries` what is whole. */
  #leave(how: PowerLoss, synced: number): Uint8Array {
    const start = LEDGER_HEADER_BYTES + bytesIn(this.#entries, synced);
    const whole = imageOf(this.#entries);
    const length = this.#random.chance(0.3) ? whole.length : start + this.#random.upTo(whole.length - start);
    const image = whole.slice(0, length);
    if (how === "reordered-writes") {
      const share = this.#random.float();
      for (let at = start; at < length; ) {
        const sectorEnd = Math.min(length, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES);
        if (this.#random.chance(share)) image.fill(0, at, sectorEnd);
        at = sectorEnd;
      }
    }
    let end = start;
    let kept = synced;
    for (const entry of this.#entries.slice(synced)) {
      const stored = image.subarray(end, end + entry.length);
      if (stored.length < entry.length || !stored.every((byte, index) => byte === entry[index])) break;
      end += entry.length;
      kept++;
    }
    this.#entries.length = kept;
    return image;
  }
}

const IDLE: FlushResult = { type: "idle" };

function imageOf(entries: readonly Uint8Array[]): Uint8Array {
  const image = new Uint8Array(LEDGER_HEADER_BYTES + bytesIn(entries, entries.length));
  let at = LEDGER_HEADER_BYTES;
  for (const entry of entries) {
    image.set(entry, at);
    at += entry.length;
  }
  return image;
}

function bytesIn(entries: readonly Uint8Array[], count: number): number {
  let bytes = 0;
  for (let index = 0; index < count; index++) bytes += entries[index]?.length ?? 0;
  return bytes;
}
