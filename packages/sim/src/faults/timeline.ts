/** What the simulation itself has to do at a time: end a fault, bring a node back. Few at once, so a sorted list does. */

interface Due {
  readonly atMs: number;
  readonly action: () => void;
}

export class Timeline {
  // Invariant: ascending; equal times in the order they were given.
  readonly #due: Due[] = [];

  /** When the next action is due; `Infinity` when there is none. */
  get nextMs(): number {
    return this.#due[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  at(atMs: number, action: () => void): void {
    const index = this.#due.findLastIndex((due) => due.atMs <= atMs) + 1;
    this.#due.splice(index, 0, { atMs, action });
  }

  /** Carries out what is due, also what such an action adds. */
  runDue(nowMs: number): void {
    for (let next = this.#due[0]; next !== undefined && next.atMs <= nowMs; next = this.#due[0]) {
      this.#due.shift();
      next.action();
    }
  }
}
