/** One replica on a bench: inputs by hand, outputs in lists. Logs are written as the views of their entries, `s` for a signature. */
import {
  type AppendEntries,
  type AppendEntriesResponse,
  type ConsensusMessage,
  ELECTION_REGULAR,
  type ElectionType,
  type NodeId,
  type RequestVote,
  type RequestVoteResponse,
  type Seqno,
  seqno,
  view,
} from "@sealane/wire";
import {
  type Entry,
  type HardState,
  type Input,
  type Output,
  Replica,
  type ReplicaOptions,
  replayLog,
} from "../../src/index.js";

export const ELECTION_TIMEOUT_MS = 100;
export const HEARTBEAT_MS = 10;

/** The core never looks inside an id, so short ones will do. */
export const [a, b, c, d, e] = ["a", "b", "c", "d", "e"] as [NodeId, NodeId, NodeId, NodeId, NodeId];

export type Sent<T extends ConsensusMessage["type"] = ConsensusMessage["type"]> = {
  readonly to: NodeId;
  readonly message: Extract<ConsensusMessage, { type: T }>;
};

export function entry(of: number, at: number, parts: Partial<Entry> = {}): Entry {
  return { view: view(of), seqno: seqno(at), signature: false, bytes: 100, ...parts };
}

/** `"2 2s 3"`: entries 1 to 3, the second a signature. The first one carries `configuration` if it is given. */
export function log(text: string, configuration?: readonly NodeId[]): readonly Entry[] {
  const words = text.split(" ").filter((word) => word !== "");
  return words.map((word, index) =>
    entry(Number.parseInt(word, 10), index + 1, {
      signature: word.endsWith("s"),
      ...(index === 0 && configuration !== undefined && { configuration }),
    }),
  );
}

export class Bench {
  readonly replica: Replica;
  nowMs = 0;
  outputs: Output[] = [];

  constructor(id: NodeId, options: Partial<ReplicaOptions> = {}) {
    this.replica = new Replica({
      id,
      durability: "ephemeral",
      electionTimeoutMs: ELECTION_TIMEOUT_MS,
      heartbeatMs: HEARTBEAT_MS,
      random: () => 0,
      nowMs: 0,
      ...options,
    });
  }

  /** A node that restarts with this log. View and vote are those of `hardState`, or the view of the last entry. */
  static restored(
    id: NodeId,
    entries: readonly Entry[],
    { commit = 0, hardState, ...options }: Partial<ReplicaOptions> & { commit?: number; hardState?: HardState } = {},
  ): Bench {
    const last = { view: entries.at(-1)?.view ?? view(0), votedFor: undefined };
    const replay = { id, hardState: hardState ?? last, commitSeqno: seqno(commit), entries };
    return new Bench(id, { restored: replayLog(replay), ...options });
  }

  /** A primary of the next view with this log; `voters` elect it, and what that sent is forgotten. */
  static primary(
    id: NodeId,
    entries: readonly Entry[],
    voters: readonly NodeId[],
    options: Partial<ReplicaOptions> & { commit?: number } = {},
  ): Bench {
    const bench = Bench.restored(id, entries, options);
    bench.campaign();
    bench.persistAll();
    for (const voter of voters) bench.receive(voter, bench.voteResponse());
    if (bench.replica.role !== "primary") throw new Error(`${id} was not elected`);
    bench.outputs = [];
    return bench;
  }

  handle(input: Input): readonly Output[] {
    this.replica.handle(input, this.nowMs);
    const outputs: Output[] = [];
    for (let output = this.replica.pollOutput(); output !== undefined; output = this.replica.pollOutput()) {
      outputs.push(output);
    }
    this.outputs.push(...outputs);
    return outputs;
  }

  tick(elapsedMs: number): readonly Sent[] {
    this.nowMs += elapsedMs;
    return sent(this.handle({ type: "tick" }));
  }

  campaign(): readonly Sent[] {
    return this.tick(ELECTION_TIMEOUT_MS);
  }

  receive(from: NodeId, message: ConsensusMessage, entries: readonly Entry[] = []): readonly Sent[] {
    return sent(this.handle({ type: "message", from, message, entries }));
  }

  /** Appends as primary, in its view. */
  write(...parts: readonly Partial<Entry>[]): readonly Output[] {
    const { view, lastSeqno } = this.replica;
    const entries = parts.map((part, index) => entry(view, lastSeqno + 1 + index, part));
    return this.handle({ type: "replicate", view, entries });
  }

  /** Acknowledges every persist that was asked for. */
  persistAll(): readonly Sent[] {
    const token = this.tokens.at(-1);
    return token === undefined ? [] : sent(this.handle({ type: "persisted", token }));
  }

  get tokens(): readonly number[] {
    return this.outputs.flatMap((output) => (output.type === "persist" ? [output.token] : []));
  }

  get log(): string {
    const { lastSeqno } = this.replica;
    return Array.from({ length: lastSeqno }, (_, index) => this.replica.viewAt(seqno(index + 1))).join(" ");
  }

  /** A grant (or denial) in the view of this candidate. */
  voteResponse(granted = true, election: ElectionType = ELECTION_REGULAR): RequestVoteResponse {
    return { type: "request-vote-response", view: this.replica.view, granted, election };
  }

  ack(at: number): AppendEntriesResponse {
    return response(this.replica.view, at, true);
  }
}

export function sent(outputs: readonly Output[]): readonly Sent[] {
  return outputs.flatMap((output) => (output.type === "send" ? [{ to: output.to, message: output.message }] : []));
}

export function response(of: number, at: number, success: boolean): AppendEntriesResponse {
  return { type: "append-entries-response", view: view(of), lastSeqno: seqno(at), success };
}

export function requestVote(
  of: number,
  lastView: number,
  last: number,
  election: ElectionType = ELECTION_REGULAR,
): RequestVote {
  return {
    type: "request-vote",
    view: view(of),
    lastCommittableSeqno: seqno(last),
    viewOfLastCommittableSeqno: view(lastView),
    election,
  };
}

/** Append-entries of a primary of view `of` with this log, for the entries in `(prev, to]`. */
export function appendEntries(
  of: number,
  entries: readonly Entry[],
  prev: number,
  to: number,
  commit = 0,
): readonly [AppendEntries, readonly Entry[]] {
  const viewOf = (at: number) => entries[at - 1]?.view ?? view(0);
  const message: AppendEntries = {
    type: "append-entries",
    seqno: seqno(to),
    prevSeqno: seqno(prev),
    view: view(of),
    prevView: viewOf(prev),
    commitSeqno: seqno(commit),
    viewOfSeqno: viewOf(to),
  };
  return [message, entries.slice(prev, to)];
}

export function rollbacks(outputs: readonly Output[]): readonly Seqno[] {
  return outputs.flatMap((output) => (output.type === "rollback" ? [output.to] : []));
}

export function commits(outputs: readonly Output[]): readonly Seqno[] {
  return outputs.flatMap((output) => (output.type === "commit" ? [output.seqno] : []));
}
