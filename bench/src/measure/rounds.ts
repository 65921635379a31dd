/** Interleaved rounds: in each, every contestant once, in random order, so that a machine that changes its speed changes it for all. */
import { ratios, type Spread, shuffled, spreadOf } from "./statistics.js";

/** Values by contestant, one a round. */
export class Rounds<Name extends string> {
  readonly #values = new Map<Name, number[]>();

  /** @param measure - Does one unit of work and says what it cost. Called once more per contestant, first, to warm up. */
  static async run<Name extends string>(
    names: readonly Name[],
    rounds: number,
    measure: (name: Name) => Promise<number>,
  ): Promise<Rounds<Name>> {
    const result = new Rounds<Name>();
    for (const name of names) await measure(name);
    for (let round = 0; round < rounds; round++) {
      for (const name of shuffled(names)) result.#add(name, await measure(name));
    }
    return result;
  }

  get names(): readonly Name[] {
    return [...this.#values.keys()];
  }

  values(name: Name): readonly number[] {
    return this.#values.get(name) ?? [];
  }

  spread(name: Name): Spread {
    return spreadOf(this.values(name));
  }

  ratio(ours: Name, theirs: Name): Spread {
    return spreadOf(ratios(this.values(ours), this.values(theirs)));
  }

  #add(name: Name, value: number): void {
    this.#values.set(name, [...this.values(name), value]);
  }
}
