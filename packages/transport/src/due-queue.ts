/** A priority queue of things due at a time; equal times keep the order of insertion, so a run is the same every time. A binary heap. */

interface Due<T> {
  readonly dueMs: number;
  readonly order: number;
  readonly item: T;
}

export class DueQueue<T> {
  // Invariant: #heap[i] comes no later than #heap[2i + 1] and #heap[2i + 2].
  readonly #heap: Due<T>[] = [];
  #nextOrder = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** When the first item is due; `undefined` when there is none. */
  get nextDueMs(): number | undefined {
    return this.#heap[0]?.dueMs;
  }

  push(dueMs: number, item: T): void {
    const due = { dueMs, order: this.#nextOrder++, item };
    let at = this.#heap.length;
    this.#heap.push(due);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = this.#heap[parentAt];
      if (parent === undefined || comesFirst(parent, due)) break;
      this.#heap[at] = parent;
      at = parentAt;
    }
    this.#heap[at] = due;
  }

  /** Takes the first item if it is due at `nowMs`. */
  popDue(nowMs: number): { readonly dueMs: number; readonly item: T } | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueMs > nowMs) return undefined;
    const last = this.#heap.pop();
    if (last !== undefined && last !== first) this.#sink(last);
    return first;
  }

  /** Puts `due` in the free place at the root and lets it sink to where it belongs. */
  #sink(due: Due<T>): void {
    let at = 0;
    for (;;) {
      const leftAt = 2 * at + 1;
      const left = this.#heap[leftAt];
      if (left === undefined) break;
      const right = this.#heap[leftAt + 1];
      const rightIsFirst = right !== undefined && comesFirst(right, left);
      const child = rightIsFirst ? right : left;
      if (comesFirst(due, child)) break;
      this.#heap[at] = child;
      at = rightIsFirst ? leftAt + 1 : leftAt;
    }
    this.#heap[at] = due;
  }
}

function comesFirst(a: Due<unknown>, b: Due<unknown>): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
