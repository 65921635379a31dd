/** All the page knows, as signals, and the one stream that changes it. */
import { computed, signal } from "@preact/signals";
import type {
  ActionError,
  ClusterView,
  ExchangeGroup,
  ExchangeRow,
  FeedMessages,
  NodeAction,
  WriteView,
} from "../feed.js";
import { committedSeqno, nodeName } from "./format.js";

/** Older rows leave the page. */
export const ROWS_MAX = 1_000;
/** A busy cluster would otherwise redraw the list at every batch. */
const ROWS_EVERY_MS = 200;
const WRITES_MAX = 5;
/** Nodes report in batches: rows that came this close together may have happened in another order. */
const REORDER_ROWS = 400;
const NOTICE_MS = 6_000;
const HISTORY_SECONDS = 40;

export type Connection = "connecting" | "live" | "lost";

export const connection = signal<Connection>("connecting");
export const cluster = signal<ClusterView>({ nodes: [], links: [] });
export const writes = signal<readonly WriteView[]>([]);
export interface Notice {
  readonly text: string;
  readonly failed: boolean;
}

/** One sentence on what the last button did; read out by screen readers. */
export const notice = signal<Notice | null>(null);

/** Newest first. */
export const rows = signal<readonly ExchangeRow[]>([]);
export const paused = signal(false);
/** Rows that came while paused, heartbeats aside. */
export const waiting = signal(0);
export const heartbeats = signal(0);
/** Rows the demo left out because there were too many to show. */
export const leftOut = signal(0);

/** Commits a second, one number for each of the last seconds, by node index. */
export const commitRates = signal<readonly (readonly number[])[]>([]);

export const summary = computed(() => {
  const { nodes } = cluster.value;
  const up = nodes.filter((node) => node.process === "up").length;
  const primary = nodes.find((node) => node.role === "primary");
  const committed = Math.max(0, ...nodes.map(committedSeqno));
  return {
    up,
    all: nodes.length,
    primary: primary === undefined ? null : nodeName(primary.index),
    view: primary?.view ?? null,
    committed,
  };
});

export interface Filter {
  readonly groups: ReadonlySet<ExchangeGroup>;
  readonly node: number | null;
  readonly direction: "sent" | "received" | "both";
  readonly text: string;
  readonly heartbeats: boolean;
}

export const ALL_GROUPS: readonly ExchangeGroup[] = ["exchange", "header", "forwarded", "rejected", "channel", "role"];

export const filter = signal<Filter>({
  groups: new Set(ALL_GROUPS),
  node: null,
  direction: "sent",
  text: "",
  heartbeats: false,
});

export const shownRows = computed(() => {
  const { groups, node, direction, text, heartbeats: withHeartbeats } = filter.value;
  const needle = text.trim().toLowerCase();
  return rows.value.filter(
    (row) =>
      groups.has(row.group) &&
      (withHeartbeats || !row.heartbeat) &&
      (node === null || row.node === node || row.peer === node) &&
      (direction === "both" || row.direction === "local" || row.group === "rejected" || row.direction === direction) &&
      (needle === "" || `${row.what} ${row.detail} ${row.group}`.toLowerCase().includes(needle)),
  );
});

/** Called for every row as it comes, also while the list is paused: the drawing shows what moves now. */
export type RowWatcher = (rows: readonly ExchangeRow[]) => void;
const watchers = new Set<RowWatcher>();

export function watchRows(watcher: RowWatcher): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

let arrived: ExchangeRow[] = [];
let held: ExchangeRow[] = [];

/** Opens the stream. The browser reconnects by itself; the server then sends the present state again. */
export function connect(): void {
  const source = new EventSource("/events");
  source.addEventListener("open", () => {
    connection.value = "live";
    rows.value = [];
    arrived = [];
    held = [];
    waiting.value = 0;
  });
  source.addEventListener("error", () => {
    connection.value = "lost";
  });
  on(source, "cluster", (view) => {
    cluster.value = view;
  });
  on(source, "write", (write) => {
    const others = writes.value.filter((known) => known.number !== write.number);
    writes.value = [write, ...others].sort((a, b) => b.number - a.number).slice(0, WRITES_MAX);
  });
  on(source, "rows", ({ rows: batch, dropped }) => {
    heartbeats.value += batch.filter((row) => row.heartbeat).length;
    leftOut.value += dropped;
    arrived.push(...batch);
    if (arrived.length > ROWS_MAX) arrived.splice(0, arrived.length - ROWS_MAX);
    for (const watcher of watchers) watcher(batch);
  });
  setInterval(takeRows, ROWS_EVERY_MS);
  setInterval(takeRates, 1_000);
}

export function setPaused(on: boolean): void {
  paused.value = on;
  if (on) return;
  arrived = [...held, ...arrived];
  held = [];
  waiting.value = 0;
  takeRows();
}

export function clearRows(): void {
  rows.value = [];
  held = [];
  waiting.value = 0;
  leftOut.value = 0;
}

/** Presses a button of the server. @returns whether it obeyed; `notice` says why not. */
export async function post(path: string, body: unknown): Promise<boolean> {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.ok) return true;
    // The server's own answers all have this shape (feed.ts).
    const { error } = (await response.json()) as ActionError;
    tell({ text: error, failed: true });
  } catch {
    tell({ text: "The demo cannot be reached.", failed: true });
  }
  return false;
}

export async function actOnNode(index: number, action: NodeAction): Promise<void> {
  const doing = { stop: "Stopping", kill: "Killing", restart: "Starting" }[action];
  const done = { stop: "stopped", kill: "was killed", restart: "runs again" }[action];
  tell({ text: `${doing} ${nodeName(index)}…`, failed: false });
  if (await post(`/api/nodes/${index}/${action}`, {})) tell({ text: `${nodeName(index)} ${done}.`, failed: false });
}

export async function setLink(a: number, b: number, cut: boolean): Promise<void> {
  if (await post("/api/links", { a, b, cut })) {
    tell({
      text: `The link between ${nodeName(a)} and ${nodeName(b)} is ${cut ? "cut" : "healed"}.`,
      failed: false,
    });
  }
}

/** What went well goes by itself; what failed stays until it is dismissed. */
function tell(next: Notice): void {
  notice.value = next;
  if (next.failed) return;
  setTimeout(() => {
    if (notice.value === next) notice.value = null;
  }, NOTICE_MS);
}

function on<Name extends keyof FeedMessages>(
  source: EventSource,
  name: Name,
  handle: (data: FeedMessages[Name]) => void,
): void {
  source.addEventListener(name, (event) => {
    // EventSource gives MessageEvents for named events; the server made the data with the types of feed.ts.
    handle(JSON.parse((event as MessageEvent<string>).data) as FeedMessages[Name]);
  });
}

function takeRows(): void {
  if (arrived.length === 0) return;
  if (paused.value) {
    held = [...held, ...arrived].slice(-ROWS_MAX);
    waiting.value = held.filter((row) => !row.heartbeat).length;
  } else {
    // Heartbeats would push everything else out of the bound within a minute; a few are kept for who wants to see them.
    const recent = [...arrived, ...rows.value.slice(0, REORDER_ROWS)].sort(newestFirst);
    const all = [...recent, ...rows.value.slice(REORDER_ROWS)];
    let beats = 0;
    rows.value = all.filter((row) => !row.heartbeat || ++beats <= ROWS_MAX / 4).slice(0, ROWS_MAX);
  }
  arrived = [];
}

/** By time; one node's rows of the same millisecond in the order it reported them. */
function newestFirst(a: ExchangeRow, b: ExchangeRow): number {
  return b.atMs - a.atMs || b.number - a.number;
}

let lastCommitted: number[] = [];

function takeRates(): void {
  const now = cluster.value.nodes.map(committedSeqno);
  commitRates.value = now.map((seqno, index) => {
    // A node that just came up has not committed all it holds in this second.
    const rate = Math.max(0, seqno - (lastCommitted[index] || seqno));
    return [...(commitRates.value[index] ?? []), rate].slice(-HISTORY_SECONDS);
  });
  lastCommitted = now;
}
