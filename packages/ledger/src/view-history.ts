/** In which view each entry was written, told by the first entry of each view: a few bytes for each election. */
import { type Seqno, type View, view } from "@sealane/wire";
import { assert, LedgerError } from "./errors.js";
import { VIEWS_MAX } from "./limits.js";

export class ViewHistory {
  // Invariant: both ascend, and no view is there twice. Views without an entry are not there.
  readonly #starts: { readonly view: number; readonly first: number }[] = [];

  /** @param starts - As `starts` returns them. */
  static of(starts: readonly number[]): ViewHistory {
    const history = new ViewHistory();
    for (const [index, first] of starts.entries()) {
      if (starts[index + 1] !== first) history.#starts.push({ view: index + 1, first });
    }
    return history;
  }

  /** View of the last entry; 0 before the first. */
  get last(): View {
    return view(this.#starts.at(-1)?.view ?? 0);
  }

  /** Entries come in order, and views never fall. */
  append(seqno: number, at: number): void {
    const last = this.#starts.at(-1);
    if (last?.view === at) return;
    assert(last === undefined || (at > last.view && seqno > last.first), "views ascend");
    this.#starts.push({ view: at, first: seqno });
  }

  /** Forgets the entries after `seqno`. */
  rollback(seqno: number): void {
    while ((this.#starts.at(-1)?.first ?? 0) > seqno) this.#starts.pop();
  }

  /** The view of an entry up to the last one; 0 before the first. */
  viewAt(seqno: Seqno): View {
    return view(this.#starts.findLast(({ first }) => first <= seqno)?.view ?? 0);
  }

  /**
   * As a snapshot has it (§10.2): element i is the first seqno of view i + 1; a view without an entry repeats the start of the next one.
   * @param to - The last entry to count.
   * @throws {LedgerError} `too-large` for a view above `VIEWS_MAX`.
   */
  starts(to: Seqno): number[] {
    const known = this.#starts.filter(({ first }) => first <= to);
    const last = known.at(-1)?.view ?? 0;
    if (last > VIEWS_MAX) throw new LedgerError("too-large", `view ${last} has too long a history for a snapshot`);
    const starts: number[] = [];
    for (const { view: at, first } of known) while (starts.length < at) starts.push(first);
    return starts;
  }
}
