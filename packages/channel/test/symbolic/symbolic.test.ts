/** No attack on version 2, and the planted attack in each version broken on purpose. `search.ts` says what is searched and why it is enough. */
import { describe, expect, it } from "vitest";
import { STILL_SAFE, VERSION_2, WEAKENED } from "./protocol.js";
import { CROSSING, LEAKS, PARALLEL, TRIANGLE } from "./scenarios.js";
import { type Scenario, search } from "./search.js";

/** Sessions between honest nodes: each exchange has two ends, and all of them can commit. */
const sessionsOf = ({ exchanges }: Scenario): number => 2 * exchanges.length;

describe("version 2 keeps every law of channel-v2 §7", () => {
  it.each([
    { scenario: PARALLEL, statesMin: 137 },
    { scenario: CROSSING, statesMin: 49 },
    { scenario: TRIANGLE, statesMin: 343 },
    { scenario: LEAKS, statesMin: 162 },
  ])("in $scenario.name: at least $statesMin states, no attack", ({ scenario, statesMin }) => {
    const { states, committed, attack } = search(VERSION_2, scenario);
    expect(attack?.trace).toBeUndefined();
    expect(committed.size).toBe(sessionsOf(scenario));
    expect(states).toBeGreaterThanOrEqual(statesMin);
  });

  it.each(STILL_SAFE)("even with $name: each thing is said twice", (protocol) => {
    for (const scenario of [PARALLEL, CROSSING, LEAKS]) {
      expect(search(protocol, scenario).attack?.trace).toBeUndefined();
    }
  });
});

describe("a version broken on purpose breaks its law", () => {
  it.each(WEAKENED)("$name: $breaks", (protocol) => {
    const found = [PARALLEL, CROSSING, LEAKS].flatMap(
      (scenario) => search(protocol, scenario, { law: protocol.breaks, statesMax: 1_000 }).attack ?? [],
    );
    expect(found[0]?.law, `no attack found on: ${protocol.name}`).toBe(protocol.breaks);
    expect(found[0]?.trace).toMatch(/^attack on .*\n( {2}\d+\. .*\n)+ {2}=> /);
  });

  it("prints an attack that a person can follow", () => {
    const attack = WEAKENED.flatMap((protocol) =>
      protocol.name === "one key for both directions" ? (search(protocol, CROSSING).attack ?? []) : [],
    )[0];
    expect(attack?.trace.split("\n")).toEqual([
      "attack on one key for both directions (agreement on confirm):",
      "  1. B, responder with A #1 accepts init with nonce and share of A, initiator with B #1, certificate of A, sends response",
      "  2. A, initiator with B #1 accepts response with nonce and share of B, responder with A #1, certificate of B, uses the keys, sends final and a record",
      "  3. A, initiator with B #1 accepts a first record under its receive key",
      "  => A, initiator with B #1: no session of its peer has run with the same ids, roles, nonces, shares and keys",
    ]);
  });
});
