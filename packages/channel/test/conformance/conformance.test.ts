/** The runner's judgement, inside the test suite; and that it can fail. */
import { describe, expect, it } from "vitest";
import { CASES_EXPECTED, judge } from "./judge.js";
import { report } from "./report.js";
import { type Case, readVectors, type Vectors, vectorsFile } from "./vectors.js";

const vectors = readVectors();
const skipped = vectors === undefined ? ` (skipped: no ${vectorsFile()})` : "";

describe.skipIf(vectors === undefined)(`recorded exchanges of existing nodes${skipped}`, () => {
  const { cases, faults } = vectors === undefined ? { cases: [], faults: [] } : judge(vectors);

  it("all cases are replayed on both sides, and everything is as declared", () => {
    expect(faults).toEqual([]);
    expect(cases.length).toBe(CASES_EXPECTED);
    expect(report({ cases, faults })).toContain("Everything is as declared.");
  });

  it.each(["accept", "reject"] as const)("%s: every verdict, byte, key and counter is the recorded one", (category) => {
    const different = cases.filter(
      (one) => one.category === category && one.sides.some(({ why }) => why !== undefined),
    );
    expect(different.map(({ name }) => name)).toEqual(category === "accept" ? ["no_retry_in_waiting_for_final"] : []);
  });

  it.each(["weakness", "lenient"] as const)(
    "%s: each is closed, or named as one that the bytes leave open",
    (category) => {
      const open = cases.filter((one) => one.category === category && one.sides.every(({ why }) => why === undefined));
      expect(open.map(({ name }) => name)).toEqual(
        category === "weakness" ? ["weak_message_type_not_bound", "weak_trailer_not_authenticated"] : [],
      );
    },
  );

  it("the judgement sees one changed byte, one changed verdict and one missing case", () => {
    if (vectors === undefined) return;
    const last = (text: string): string => text.slice(0, -1) + (text.endsWith("0") ? "1" : "0");
    const changed = (change: (event: Case["events"][number]) => Case["events"][number]): Vectors => ({
      ...vectors,
      cases: vectors.cases
        .filter(({ name }) => name === "handshake_high_initiates")
        .map((one) => ({ ...one, events: one.events.map(change) })),
    });
    const bytes = changed((event) => ({
      ...event,
      emitted: (event.emitted ?? []).map((sent) =>
        sent.id === "w4" ? { ...sent, payload: last(sent.payload) } : sent,
      ),
    }));
    expect(judge(bytes).faults.join()).toMatch(/w4 has other bytes/);
    const verdict = changed((event) => (event.wire === "w5" ? { ...event, result: "false" } : event));
    expect(judge(verdict).faults.join()).toMatch(/the verdict is true, not false/);
    expect(judge({ ...vectors, cases: vectors.cases.slice(0, 1) }).faults.join()).toMatch(/there are 1 cases/);
  });
});
