/** What the server tells the page, over `/events` and in the answers to its buttons. Types only: both sides of the wire import this file. */

export type ProcessState = "starting" | "up" | "stopping" | "down";
export type Phase = "pending" | "joining" | "active" | "retiring" | "retired" | "stopping" | "unknown";
export type Role = "primary" | "backup" | "candidate" | "none";

/** One directed channel: what `nodes[from]` knows about its keys for `nodes[to]` (channel-v2.md §8). */
export interface ChannelView {
  readonly to: number;
  readonly state: "INACTIVE" | "INITIATED" | "WAITING_FOR_FINAL" | "ESTABLISHED";
  readonly open: boolean;
  readonly keyAgeMs: number | null;
  readonly sent: number;
  readonly received: number;
  /** Records this node may still send before it must change keys. */
  readonly recordsLeft: number;
  readonly lastError: string | null;
  /** Key exchanges completed since the process started. */
  readonly exchanges: number;
}

export interface NodeView {
  readonly index: number;
  readonly process: ProcessState;
  readonly pid: number | null;
  /** 64 hex digits; null until the node has reported for the first time. */
  readonly id: string | null;
  readonly phase: Phase;
  readonly role: Role;
  readonly view: number;
  readonly lastSeqno: number;
  /** `view.seqno`. */
  readonly committed: string;
  readonly channels: readonly ChannelView[];
  readonly apiUrl: string;
  /** Where the node listens for other nodes. */
  readonly nodeAddress: string;
  /** Where other nodes dial it: the proxy in front of `nodeAddress`. */
  readonly publishedAddress: string;
  readonly dataDir: string;
  /** One sentence: why the process ended by itself. */
  readonly fault: string | null;
}

export interface LinkView {
  readonly a: number;
  readonly b: number;
  readonly cut: boolean;
}

export interface ClusterView {
  readonly nodes: readonly NodeView[];
  readonly links: readonly LinkView[];
}

export type ExchangeGroup = "exchange" | "header" | "forwarded" | "rejected" | "channel" | "role";

/** One row of the running list. */
export interface ExchangeRow {
  /** Ascends by one over the life of the demo. */
  readonly number: number;
  /** Milliseconds since 1970, by the clock of the node that saw it. */
  readonly atMs: number;
  /** The node that saw it. */
  readonly node: number;
  readonly peer: number | null;
  readonly direction: "sent" | "received" | "local";
  readonly group: ExchangeGroup;
  /** The message or event by name: `append-entries`, `init`, `command`. */
  readonly what: string;
  readonly detail: string;
  readonly bytes: number | null;
  /** Only says "I am here": an empty append-entries, or the answer to one. */
  readonly heartbeat: boolean;
}

export type NodeTxStatus = "unknown" | "pending" | "committed" | "invalid" | "unreachable";

/** A write the page asked for, from the click until it is committed on every node that is up. */
export interface WriteView {
  readonly number: number;
  readonly key: string;
  readonly value: string;
  readonly via: number;
  readonly startedAtMs: number;
  /** null until the node has answered. */
  readonly txId: string | null;
  readonly state: "sending" | "pending" | "committed" | "failed";
  /** One entry per node, by index. */
  readonly statuses: readonly NodeTxStatus[];
  /** From the click to committed everywhere, or to the failure. */
  readonly elapsedMs: number | null;
  /** One sentence, only when failed. */
  readonly error: string | null;
}

/** Messages of the event stream, by SSE event name. */
export interface FeedMessages {
  readonly cluster: ClusterView;
  readonly rows: {
    readonly rows: readonly ExchangeRow[] /** Rows left out because there were too many. */;
    readonly dropped: number;
  };
  readonly write: WriteView;
}

/** The JSON a button sends. */
export type NodeAction = "stop" | "kill" | "restart";

/** The answer to a button that could not be obeyed: one sentence. */
export interface ActionError {
  readonly error: string;
}
