import { describe, expect, it } from "vitest";
import { LoneCore } from "../../test/lone-core.js";

class World extends LoneCore {
  #puts = 0;

  constructor(fixed: boolean) {
    super(fixed ? { fixed, entriesMax: 100 } : { fixed });
  }

  put(valueBytes = 1): void {
    this.request("PUT", `/records/k${this.#puts++}`, { value: "v".repeat(valueBytes) });
  }

  /** Ends the turn. @returns the seqnos given to storage, in the order of what else storage was told. */
  told(): (readonly number[] | "persist" | "commit")[] {
    return this.turn().flatMap((output): (readonly number[] | "persist" | "commit")[] => {
      if (output.type === "append") return [output.entries.map((entry) => Number(entry.seqno))];
      return output.type === "commit" || output.type === "persist" ? [output.type] : [];
    });
  }
}

describe("an entry that no signature covers yet", () => {
  it("is stored with its signature, all that came during a round at once", () => {
    const world = new World(false);
    expect(world.told().flat()).toContain(2); // the first transaction and its signature
    world.put();
    world.put();
    expect(world.told()).toEqual([]);
    world.put();
    expect(world.told()).toEqual([]);
    world.persist(); // of the signature: it commits, and the next one is due
    const told = world.told();
    expect(told.filter((what) => what !== "persist")).toEqual(["commit", [3, 4, 5, 6]]);
    expect(told.at(-1)).toBe("persist");
    world.persist();
    expect(world.told()).toEqual(["commit"]);
  });

  it("does not wait when there is much of it", () => {
    const world = new World(false);
    world.told();
    world.put(40_000);
    expect(world.told()).toEqual([]);
    world.put(40_000);
    expect(world.told()).toEqual([[3, 4], "persist"]);
  });

  it("does not wait under a fixed cadence, whose signatures are far apart", () => {
    const world = new World(true);
    world.told();
    world.put();
    expect(world.told()).toEqual([[3], "persist"]);
  });
});
