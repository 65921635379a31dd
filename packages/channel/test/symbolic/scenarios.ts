/** What is searched: at least two sessions for each pair of honest nodes, beside those of each honest node with the corrupted one. */
import type { Scenario } from "./search.js";

/** Twice A to B: replays and mixtures of two exchanges. */
export const PARALLEL: Scenario = {
  name: "two parallel exchanges",
  exchanges: [
    ["A", "B"],
    ["A", "B"],
  ],
  leaks: false,
};

/** A to B and B to A: reflection, roles. */
export const CROSSING: Scenario = {
  name: "two crossing exchanges",
  exchanges: [
    ["A", "B"],
    ["B", "A"],
  ],
  leaks: false,
};

/** Three honest nodes and the corrupted one: who talks to whom. */
export const TRIANGLE: Scenario = {
  name: "three honest nodes in a ring",
  exchanges: [
    ["A", "B"],
    ["B", "D"],
    ["D", "A"],
  ],
  leaks: false,
};

/** One exchange; either key, or both, may leak at any moment before, during and after it. */
export const LEAKS: Scenario = { name: "one exchange, leaking keys", exchanges: [["A", "B"]], leaks: true };

export const CROSSING_LEAKS: Scenario = { ...CROSSING, name: "two crossing exchanges, leaking keys", leaks: true };
export const PARALLEL_LEAKS: Scenario = { ...PARALLEL, name: "two parallel exchanges, leaking keys", leaks: true };

/** Two in each direction. */
export const BOTH_TWICE: Scenario = {
  name: "two exchanges in each direction",
  exchanges: [...PARALLEL.exchanges, ["B", "A"], ["B", "A"]],
  leaks: false,
};
