/** The same laws in larger worlds: up to half a minute each. */
import { expect, it } from "vitest";
import { VERSION_2 } from "./protocol.js";
import { BOTH_TWICE, CROSSING_LEAKS, PARALLEL_LEAKS } from "./scenarios.js";
import { search } from "./search.js";

it.each([
  { scenario: CROSSING_LEAKS, statesMin: 9_000 },
  { scenario: PARALLEL_LEAKS, statesMin: 20_000 },
  { scenario: BOTH_TWICE, statesMin: 18_000 },
])(
  "version 2 keeps every law in $scenario.name: at least $statesMin states",
  { timeout: 300_000 },
  ({ scenario, statesMin }) => {
    const { states, committed, attack } = search(VERSION_2, scenario);
    expect(attack?.trace).toBeUndefined();
    expect(committed.size).toBe(2 * scenario.exchanges.length);
    expect(states).toBeGreaterThanOrEqual(statesMin);
  },
);
