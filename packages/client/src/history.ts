/**
 * The past, a page at a time: the next page is asked for when its first item is wanted, so a slow reader holds one page and no more. Any node
 * answers any page, since what is committed stays as it is.
 */
import { type EntriesPage, type KeyHistoryPage, parseTxId } from "@sealane/wire";
import type { CallOptions } from "./call-options.js";
import { ClientError } from "./errors.js";
import { throwIfAborted } from "./wait.js";

export interface RangeOptions extends CallOptions {
  /** First seqno, inclusive. Default 1. */
  readonly from?: number | undefined;
  /**
   * Last seqno, inclusive. Default: the last one that the node asked first knows to be committed. Of a later one than that the rest is waited for:
   * `timeout` if it is not committed in time.
   */
  readonly to?: number | undefined;
  /** From the newest to the oldest. */
  readonly newestFirst?: boolean | undefined;
  /**
   * Behind the last one goes on with whatever is committed next, at whichever node answers, until `signal` ends it. Not with `to` or `newestFirst`.
   * To take up a watch again, pass the seqno behind the last item as `from`: nothing is missed, nothing comes twice.
   */
  readonly watch?: boolean | undefined;
  /** Items in one page, 1 to 1,000. Default 100. A page may hold fewer, even none. */
  readonly pageSize?: number | undefined;
}

/** What a committed transaction did to one record. */
export type RecordChange = KeyHistoryPage["changes"][number];

type Page = Pick<EntriesPage, "from" | "to" | "next">;

/**
 * @param path - Without a query. @param ask - One page; `timeoutMs` counts for each anew.
 * @throws {ClientError} as `ask`, and `bad-answer` for pages that do not follow each other, `malformed` before anything is asked.
 */
export async function* pages<P extends Page, T extends { readonly txId: string }>(
  path: string,
  options: RangeOptions,
  ask: (path: string) => Promise<P>,
  itemsOf: (page: P) => readonly T[],
): AsyncGenerator<T, void, undefined> {
  const { newestFirst = false, pageSize, watch = false } = options;
  let [from, to]: [number, number | undefined] = [whole(options.from, "from") ?? 1, whole(options.to, "to")];
  if (to !== undefined && from > to) throw malformed(`"from" (${from}) is behind "to" (${to})`);
  const limit = whole(pageSize, "pageSize");
  if (watch && (newestFirst || to !== undefined)) throw malformed("a watch has no end, and goes forwards");
  for (;;) {
    const query = [`from=${from}`, ...(to === undefined ? [] : [`to=${to}`])];
    if (limit !== undefined) query.push(`limit=${limit}`);
    if (newestFirst) query.push("order=descending");
    const page = await ask(`${path}?${query.join("&")}`).catch((error: unknown) => {
      if (watch && error instanceof ClientError && error.code === "timeout") return undefined;
      throw error;
    });
    if (page === undefined) continue; // nothing has been committed for so long
    const items = itemsOf(page);
    requireInOrder(page, items, { from, to, newestFirst });
    for (const item of items) {
      throwIfAborted(options.signal);
      yield item;
    }
    if (page.next === null && !watch) return;
    [from, to] = page.next === null ? beyond(page, to) : newestFirst ? [from, page.next] : [page.next, page.to];
  }
}

/** What a watch asks for next: all there is, and then the one entry that is not there yet, for which a node waits. */
function beyond({ from, to }: Page, asked: number | undefined): [from: number, to: number | undefined] {
  const next = Math.max(from, to + 1);
  return [next, asked === undefined ? next : undefined];
}

/** Lest a node that is broken, or none at all, keeps a client asking for ever, or shows it things in another order than they happened. */
function requireInOrder(
  page: Page,
  items: readonly { readonly txId: string }[],
  asked: { readonly from: number; readonly to: number | undefined; readonly newestFirst: boolean },
): void {
  const { from, to, next } = page;
  const seqnos = items.map(({ txId }): number => parseTxId(txId).seqno);
  const [first, last] = asked.newestFirst
    ? [next === null ? from : next + 1, to]
    : [from, next === null ? to : next - 1];
  const goesOn = next === null || (asked.newestFirst ? next >= from && next < to : next > from && next <= to);
  const isAsked = from === asked.from && (asked.to === undefined || to === asked.to);
  const inside = seqnos.every((at) => at >= first && at <= last);
  const ordered = seqnos.every((at, index) => {
    const before = seqnos[index - 1];
    return before === undefined || (asked.newestFirst ? at < before : at > before);
  });
  if (isAsked && goesOn && inside && ordered) return;
  throw new ClientError("bad-answer", "a node sent a page of the past that does not fit the one asked for", {
    retryable: false,
  });
}

function whole(value: number | undefined, name: string): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) return value;
  throw malformed(`"${name}" is a whole number from 1`);
}

function malformed(message: string): ClientError {
  return new ClientError("malformed", message, { retryable: false });
}
