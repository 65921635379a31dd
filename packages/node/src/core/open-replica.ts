/** The replica of a node as it comes into being: new, joining, or with the log that it read back. */
import { type Entry, Replica, type RestoredState, replayLog } from "@sealane/consensus";
import type { DecodedEntry } from "@sealane/ledger";
import { type NodeId, seqno, view } from "@sealane/wire";
import type { Replay } from "./log-state.js";
import type { CoreConfig } from "./types.js";

/** Bytes of entries behind one header: large enough that its tag costs next to nothing. */
const MESSAGE_BYTES_MAX = 256 * 1024;
/** Bytes of entries on their way to one peer: a joiner or a slow peer cannot make the primary buffer more. Half of what a link holds. */
const IN_FLIGHT_BYTES_MAX = 8 * 1024 * 1024;

/** Hosts give whole ms. */
const CLOCK_STEP_MS = 1;
/** A joiner does not know the view yet; any real one is higher (consensus spec §12.1). */
const JOIN_VIEW = view(1);

/** An entry as it passes through the replica and back. */
export interface LogEntry extends Entry {
  /** Present in an entry that another node wrote. */
  readonly decoded?: DecodedEntry;
}

export function openReplica(config: CoreConfig, nowMs: number): Replica<LogEntry> {
  const { start, timing, id } = config;
  const replica = new Replica<LogEntry>({
    id,
    electionTimeoutMs: timing.electionTimeoutMs,
    heartbeatMs: timing.heartbeatMs,
    durability: "durable",
    preVote: config.preVote ?? true,
    leaderStickiness: config.leaderStickiness ?? true,
    ...(config.readLease === undefined ? {} : { readLease: { ...config.readLease, clockStepMs: CLOCK_STEP_MS } }),
    tellRetired: true,
    eagerSend: true,
    messageBytesMax: MESSAGE_BYTES_MAX,
    inFlightBytesMax: IN_FLIGHT_BYTES_MAX,
    random: (max) => uniform(config, max),
    nowMs,
    ...(start.type === "resume" ? { restored: restoredState(id, start.replay) } : {}),
    ...(start.type === "recover" ? { restored: recoveredState(id, start.replay) } : {}),
  });
  if (start.type === "new" || start.type === "recover") replica.handle({ type: "start" }, nowMs);
  if (start.type === "join") replica.handle({ type: "join", seqno: seqno(0), view: JOIN_VIEW, viewHistory: [] }, nowMs);
  return replica;
}

function restoredState(id: NodeId, { hardState, entries, base }: Replay): RestoredState {
  const { view: lastView, votedFor, commitSeqno } = hardState;
  const voted = { view: lastView, votedFor };
  return replayLog({
    id,
    hardState: voted,
    commitSeqno,
    entries,
    ...(base === undefined ? {} : { base: { ...base, hardState: voted } }),
  });
}

/** Everything up to the last signature is committed, and no node but this one is asked (consensus spec §12.3). */
function recoveredState(id: NodeId, replay: Replay): RestoredState {
  const { hardState, viewHistory, lastSeqno, commitSeqno, signatures, entryBytes } = restoredState(id, replay);
  const log = {
    viewHistory,
    lastSeqno,
    commitSeqno: signatures.at(-1) ?? commitSeqno,
    signatures: [],
    configurations: [],
  };
  return { hardState, ...log, ...(entryBytes === undefined ? {} : { entryBytes }) };
}

/** A uniform integer in [0, max]; the bias of a 32-bit draw is below max / 2^32. */
function uniform({ suite }: CoreConfig, max: number): number {
  const bytes = suite.randomBytes(4);
  const draw = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  return Math.floor((draw / 2 ** 32) * (max + 1));
}
