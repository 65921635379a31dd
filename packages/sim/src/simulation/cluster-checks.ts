/**
 * Watches all nodes of a cluster and holds them to consensus spec §15 after every turn of every node, to what they have answered, and to an
 * invariant of the application over each committed state. It keeps its own record of each node's ledger, made from what the node stored.
 */
import type { Reader } from "@sealane/kv";
import type { App, NodeCore, Output, Replication, Role } from "@sealane/node/core";
import { equalBytes, formatTxId, type NodeId, type Seqno, seqno, type TxId } from "@sealane/wire";
import type { NodeObserver, ObservedHost } from "../cluster/node-observer.js";
import { Invariants } from "../invariants/invariants.js";
import type { Observed, ObservedReplica } from "../invariants/observed.js";
import { ObservedLog } from "../invariants/observed-log.js";
import { checkRoleChange } from "../invariants/step-properties.js";
import { ViolationError } from "../violation.js";
import { EntryReader } from "./entry-reader.js";

/** Checks the committed state of a node. Throws what is wrong with it. */
export type StateInvariant = (committed: Reader) => void;

/** One life of a node's core. */
interface Watched extends Observed {
  readonly core: NodeCore;
  readonly log: ObservedLog;
  replica: ObservedReplica;
  role: Role;
  /** A live view of the node's committed maps. */
  readonly committed: Reader;
}

export class ClusterChecks implements NodeObserver {
  readonly invariants = new Invariants();
  readonly #entries = new EntryReader();
  readonly #window = new StateWindow();
  readonly #invariant: StateInvariant | undefined;
  /** The nodes that are up, and what the disks of the others hold. */
  readonly #watched = new Map<NodeId, Watched>();
  readonly #resting = new Map<NodeId, Observed>();
  readonly #lives = new Map<NodeId, number>();
  /** Those that have evidence, by seqno. */
  readonly #snapshots = new Map<Seqno, Uint8Array>();

  constructor(invariant?: StateInvariant) {
    this.#invariant = invariant;
  }

  /** The application with a window for this observer. */
  through(app: App): App {
    return this.#window.added(app);
  }

  /** How often a node has been started. */
  lifeOf(node: NodeId): number {
    return this.#lives.get(node) ?? 0;
  }

  /** The committed maps of a node; undefined while it is down. */
  committedOf(node: NodeId): Reader | undefined {
    return this.#watched.get(node)?.committed;
  }

  /** A node said that this transaction is committed. @throws {ViolationError} `acknowledged-lost` when it is not. */
  handleAcknowledged(node: NodeId, txId: TxId): void {
    if (this.invariants.committed[txId.seqno - 1]?.view === txId.view) return;
    const which = formatTxId(txId);
    throw new ViolationError(
      "acknowledged-lost",
      `${short(node)} calls ${which} committed, and no node has committed it`,
    );
  }

  handleStart(node: ObservedHost, core: NodeCore, nowMs: number): void {
    const log = this.#logOf(node);
    const { replication } = core;
    const watched: Watched = {
      id: node.id,
      core,
      log,
      replica: snapshotOf(replication),
      role: "none",
      committed: this.#window.open(core, nowMs),
    };
    this.#watched.set(node.id, watched);
    this.#resting.delete(node.id);
    this.#lives.set(node.id, this.lifeOf(node.id) + 1);
    this.invariants.forget(node.id);
  }

  handleOutput(node: ObservedHost, output: Output): void {
    const watched = this.#watched.get(node.id);
    if (watched === undefined) return;
    if (output.type === "append") this.#append(watched.log, output.entries);
    if (output.type === "truncate") watched.log.truncate(output.to);
    if (output.type === "snapshot") this.#checkSnapshot(output, node.id);
    if (output.type !== "event" || output.event.type !== "role") return;
    const { role } = output.event;
    checkRoleChange(node.id, watched.role, role, watched.core.replication.retirementPhase);
    watched.role = role;
  }

  handleTurn(node: ObservedHost): void {
    const watched = this.#watched.get(node.id);
    if (watched === undefined) return;
    const { replication, unstored } = watched.core;
    this.#append(watched.log, unstored); // a primary has what it has not signed, and may have sent it
    const live = { id: node.id, replica: replication, log: watched.log };
    if (!this.invariants.hasChanged(live)) return;
    const before = watched.replica.commitSeqno;
    watched.replica = snapshotOf(replication);
    this.invariants.check([...this.#watched.values()], [...this.#resting.values()]);
    if (replication.commitSeqno > before) this.#checkState(watched);
  }

  /**
   * What a node's disk holds. In place of what it does not have stands what was committed there, which is what its snapshot claims to be
   * (consensus spec §15.1, caution a); so every property is checked as if the prefix were there, and fails where the snapshot is of another past.
   */
  #logOf({ id, disk }: ObservedHost): ObservedLog {
    const log = new ObservedLog();
    const before = this.invariants.committed.slice(0, disk.firstSeqno - 1);
    if (before.length < disk.firstSeqno - 1) {
      const what = `${short(id)} begins at ${disk.firstSeqno}, and nobody has committed all before that`;
      throw new ViolationError("agreement", what);
    }
    log.append(...before, ...disk.entries.map((bytes) => this.#entries.read(bytes)));
    return log;
  }

  /** The same state makes the same snapshot, whoever takes it. */
  #checkSnapshot({ seqno: at, bytes }: Extract<Output, { type: "snapshot" }>, node: NodeId): void {
    const known = this.#snapshots.get(at) ?? bytes;
    this.#snapshots.set(at, known);
    if (equalBytes(known, bytes)) return;
    throw new ViolationError("wrong-state", `${short(node)} has another snapshot at ${at} than a node before`);
  }

  /** @param entries - Some of them may have been seen before they went to storage. */
  #append(log: ObservedLog, entries: readonly { readonly seqno: Seqno; readonly bytes: Uint8Array }[]): void {
    const fresh = entries.filter((entry) => entry.seqno > log.length);
    if (fresh.length > 0) log.append(...fresh.map(({ bytes }) => this.#entries.read(bytes)));
  }

  handleEnd(node: ObservedHost): void {
    const watched = this.#watched.get(node.id);
    if (watched === undefined || !this.#watched.delete(node.id)) return;
    const log = this.#logOf(node);
    const replica: ObservedReplica = { ...watched.replica, ...node.disk.hardState, ...AT_REST };
    this.#resting.set(node.id, { id: node.id, log, replica });
  }

  #checkState({ id, committed, replica }: Watched): void {
    try {
      this.#invariant?.(committed);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ViolationError("application", `in the state of ${short(id)} at ${replica.commitSeqno}: ${why}`, {
        cause,
      });
    }
  }
}

/** A node that does not run claims nothing. */
const AT_REST = { role: "none", commitSeqno: seqno(0), retirementPhase: undefined } as const;

function snapshotOf(replica: Replication): ObservedReplica {
  const { view, votedFor, role, lastSeqno, commitSeqno, lastCommittableSeqno, durableSeqno } = replica;
  const { configurations, retirementPhase, removedNodes, peers } = replica;
  const numbers = { view, votedFor, role, lastSeqno, commitSeqno, lastCommittableSeqno, durableSeqno };
  return { ...numbers, configurations, retirementPhase, removedNodes, peers };
}

function short(id: NodeId): string {
  return id.slice(0, 8);
}

const WINDOW_PATH = "/simulation/committed";
/** No client's request has it. */
const WINDOW_REQUEST = -1;

/** Gets at a core's committed maps in the way that is open to everyone: a handler of the application is given a reader of them. */
class StateWindow {
  #reader: Reader | undefined;

  added(app: App): App {
    const route: App["routes"][number] = {
      type: "read",
      method: "GET",
      segments: WINDOW_PATH.slice(1).split("/"),
      run: (reader) => {
        this.#reader = reader; // a live view, of one store
        return { body: {} };
      },
    };
    return { ...app, routes: [...app.routes, route] };
  }

  open(core: NodeCore, nowMs: number): Reader {
    const path = `${WINDOW_PATH}?consistency=serializable`; // from this node's own committed state, whatever its role
    const request = { id: WINDOW_REQUEST, method: "GET", path, body: new Uint8Array(0) };
    core.handle({ type: "request", request }, nowMs);
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) throw new Error("the application of this node has no window");
    return reader;
  }
}
