/** Counts the faults that had an effect, each once for its first one. */
import type { Fault, FaultKind } from "./fault.js";

export class Tally {
  readonly #reached = new Map<FaultKind, number>();
  readonly #counted = new WeakSet<Fault>();

  get reached(): ReadonlyMap<FaultKind, number> {
    return this.#reached;
  }

  count(fault: Fault): void {
    this.#counted.add(fault);
    this.#reached.set(fault.kind, (this.#reached.get(fault.kind) ?? 0) + 1);
  }

  countOnce(fault: Fault): void {
    if (!this.#counted.has(fault)) this.count(fault);
  }
}
