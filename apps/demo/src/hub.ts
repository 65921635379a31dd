/**
 * Hands the running feed to every open page. One view of the cluster at most every 150 ms, rows in batches; a page that does not
 * keep up loses rows, never memory of the demo, and is told how many.
 */
import type { ClusterView, ExchangeRow, FeedMessages, WriteView } from "./feed.js";

/** The page shows 1,000 rows; more would never be seen. */
export const BACKLOG_ROWS_MAX = 1_000;
const RECENT_ROWS_MAX = 300;
const RECENT_WRITES_MAX = 20;
const VIEW_EVERY_MS = 150;
/** Each page holds a socket and a backlog. */
export const PAGES_MAX = 16;

export type FeedMessage = {
  [Name in keyof FeedMessages]: { readonly event: Name; readonly data: FeedMessages[Name] };
}[keyof FeedMessages];

/** What waits for one page. */
export class Backlog {
  #view: ClusterView | undefined;
  #rows: ExchangeRow[] = [];
  #dropped = 0;
  readonly #writes = new Map<number, WriteView>();
  #wake: (() => void) | undefined;

  setView(view: ClusterView): void {
    this.#view = view;
    this.#wake?.();
  }

  addRows(rows: readonly ExchangeRow[], dropped: number): void {
    this.#rows.push(...rows);
    const over = this.#rows.length - BACKLOG_ROWS_MAX;
    if (over > 0) this.#rows.splice(0, over);
    this.#dropped += dropped + Math.max(0, over);
    this.#wake?.();
  }

  /** A newer state of the same write replaces the older. */
  setWrite(write: WriteView): void {
    this.#writes.set(write.number, write);
    const oldest = this.#writes.keys().next().value;
    if (this.#writes.size > RECENT_WRITES_MAX && oldest !== undefined) this.#writes.delete(oldest);
    this.#wake?.();
  }

  /** All that waits, in the order to send it; empty when nothing does. */
  take(): FeedMessage[] {
    const messages: FeedMessage[] = [];
    if (this.#view !== undefined) messages.push({ event: "cluster", data: this.#view });
    for (const write of this.#writes.values()) messages.push({ event: "write", data: write });
    if (this.#rows.length > 0 || this.#dropped > 0)
      messages.push({ event: "rows", data: { rows: this.#rows, dropped: this.#dropped } });
    this.#view = undefined;
    this.#writes.clear();
    this.#rows = [];
    this.#dropped = 0;
    return messages;
  }

  /** Resolves when something waits, or at the time-out. */
  async wait(timeoutMs: number): Promise<void> {
    if (this.#view !== undefined || this.#rows.length > 0 || this.#writes.size > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** Ends a wait: the page is gone. */
  wake(): void {
    this.#wake?.();
  }
}

export class Hub {
  readonly #view: () => ClusterView;
  readonly #pages = new Set<Backlog>();
  readonly #rows: ExchangeRow[] = [];
  readonly #writes = new Map<number, WriteView>();
  #timer: NodeJS.Timeout | undefined;
  #nextRow = 1;

  constructor(view: () => ClusterView) {
    this.#view = view;
  }

  /** @returns undefined when too many pages are open. The backlog already holds the present state and the last rows. */
  open(): Backlog | undefined {
    if (this.#pages.size >= PAGES_MAX) return undefined;
    const page = new Backlog();
    page.setView(this.#view());
    for (const write of this.#writes.values()) page.setWrite(write);
    page.addRows(this.#rows, 0);
    this.#pages.add(page);
    return page;
  }

  close(page: Backlog): void {
    this.#pages.delete(page);
    page.wake();
  }

  /** The cluster changed; the pages hear of it soon. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const view = this.#view();
      for (const page of this.#pages) page.setView(view);
    }, VIEW_EVERY_MS);
  }

  addRows(rows: readonly Omit<ExchangeRow, "number">[], dropped: number): void {
    if (rows.length === 0 && dropped === 0) return;
    const numbered = rows.map((row) => ({ number: this.#nextRow++, ...row }));
    this.#rows.push(...numbered);
    this.#rows.splice(0, Math.max(0, this.#rows.length - RECENT_ROWS_MAX));
    for (const page of this.#pages) page.addRows(numbered, dropped);
  }

  setWrite(write: WriteView): void {
    this.#writes.set(write.number, write);
    const oldest = this.#writes.keys().next().value;
    if (this.#writes.size > RECENT_WRITES_MAX && oldest !== undefined) this.#writes.delete(oldest);
    for (const page of this.#pages) page.setWrite(write);
  }

  end(): void {
    clearTimeout(this.#timer);
    for (const page of this.#pages) page.wake();
    this.#pages.clear();
  }
}
