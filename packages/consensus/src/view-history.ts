/**
 * Which view each seqno belongs to (consensus spec §4).
 *
 * The spec writes a view history as a list with the first seqno of view 1, 2, 3 and so on, where a view without entries
 * repeats the start of the next one. Here such repeats are left out: each element is a view that has its own start.
 * Both say the same, and a view number of two thousand million from a peer costs one element instead of all of memory.
 */
import { type Seqno, seqno, type View, view } from "@sealane/wire";
import { assert } from "./assert.js";
import type { ViewStart } from "./interface.js";

export class ViewHistory {
  /** Invariant: strictly ascending in `view` and in `seqno`. */
  #starts: ViewStart[] = [];

  /** §4 `initialise`. @throws {Error} when the list is not ascending: a bug of the caller. */
  static from(starts: readonly ViewStart[]): ViewHistory {
    const history = new ViewHistory();
    for (const start of starts) history.update(start.seqno, start.view);
    return history;
  }

  get starts(): readonly ViewStart[] {
    return [...this.#starts];
  }

  /** The highest view that has a start; 0 when there is none. */
  get lastView(): View {
    return this.#starts.at(-1)?.view ?? view(0);
  }

  /** From `from` on, entries belong to view `of`. Does nothing when `of` or a later view has a start already. */
  update(from: Seqno, of: View): void {
    const last = this.#starts.at(-1);
    assert(last === undefined || from >= last.seqno, "a view history never moves backwards");
    if (of <= this.lastView) return;
    if (last?.seqno === from) this.#starts.pop(); // that view turns out to be empty
    this.#starts.push({ view: of, seqno: from });
  }

  /** The view of `at`; 0 before the first start. */
  viewAt(at: Seqno): View {
    return this.#starts[this.#indexAt(at)]?.view ?? view(0);
  }

  /** The first seqno of view `of`; 0 when it has no entries or is not known. */
  startOfView(of: View): Seqno {
    return this.#starts[this.#indexOf(of)]?.seqno ?? seqno(0);
  }

  /** The last seqno of view `of`; 0 when it has no entries, is not known, or is the last one. */
  endOfView(of: View): Seqno {
    const index = this.#indexOf(of);
    const next = index < 0 ? undefined : this.#starts[index + 1];
    return seqno(next === undefined ? 0 : next.seqno - 1);
  }

  /** The first seqno in `(after, to]` that is not of view `of`, or undefined when all are. Cheap however long the range. */
  firstOutside(of: View, after: Seqno, to: Seqno): Seqno | undefined {
    if (after >= to) return undefined;
    const first = seqno(after + 1);
    if (this.viewAt(first) !== of) return first;
    const end = this.endOfView(of);
    return end === 0 || end >= to ? undefined : seqno(end + 1);
  }

  /** Forgets every start above `to`. */
  rollback(to: Seqno): void {
    this.#starts.length = this.#indexAt(to) + 1;
  }

  /** §4 `history_until`: the starts at or below `to`. */
  until(to: Seqno): readonly ViewStart[] {
    return this.#starts.slice(0, this.#indexAt(to) + 1);
  }

  /** §4 `history_since`: the starts of view `of` and later. */
  since(of: View): readonly ViewStart[] {
    return this.#starts.filter((start) => start.view >= of);
  }

  /** Index of the last start at or below `at`; -1 when there is none. */
  #indexAt(at: Seqno): number {
    let low = 0;
    let high = this.#starts.length;
    if (at >= (this.#starts.at(-1)?.seqno ?? 0)) return high - 1; // nearly every question is about the newest view
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle]?.seqno ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #indexOf(of: View): number {
    return this.#starts.findLastIndex((start) => start.view === of);
  }
}

/**
 * §8.7 `find_highest_possible_match`: the largest seqno at or below `at` that this log holds and whose view is at most `of`.
 * Steps over whole views, so two logs find their common part in about one round trip for each view they differ in.
 */
export function findHighestPossibleMatch(history: ViewHistory, lastSeqno: Seqno, of: View, at: Seqno): Seqno {
  let probe = seqno(Math.min(at, lastSeqno));
  let probeView = history.viewAt(probe);
  while (probeView > of) {
    probe = seqno(Math.max(history.startOfView(probeView) - 1, 0));
    probeView = history.viewAt(probe);
  }
  return probe;
}
