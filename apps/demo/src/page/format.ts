/** Numbers, times and names as the page writes them. */
import type { ExchangeRow, NodeView } from "../feed.js";

const WHOLE = new Intl.NumberFormat("en");

export const nodeName = (index: number): string => `Node ${index}`;

export function whole(value: number): string {
  return WHOLE.format(value);
}

/** `42 s`, `3 min`, `2 h`: how long keys have been in use. */
export function age(ms: number | null): string {
  if (ms === null) return "–";
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}

export function elapsed(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

export function bytes(count: number | null): string {
  if (count === null) return "";
  return count < 10_000 ? `${whole(count)} B` : `${whole(Math.round(count / 1_024))} KiB`;
}

/** Local time of day to the millisecond. */
export function clock(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** The first and last digits of an id: enough to tell nodes apart. */
export function shortId(id: string): string {
  return `${id.slice(0, 8)}…${id.slice(-4)}`;
}

/** The seqno of `view.seqno`. */
export function committedSeqno(node: NodeView): number {
  return Number(node.committed.split(".")[1] ?? 0);
}

const GROUP_NAMES: Readonly<Record<ExchangeRow["group"], string>> = {
  exchange: "Key exchange",
  header: "Header",
  forwarded: "Forwarded",
  rejected: "Refused",
  channel: "Channel",
  role: "Role",
};

export function groupName(group: ExchangeRow["group"]): string {
  return GROUP_NAMES[group];
}
