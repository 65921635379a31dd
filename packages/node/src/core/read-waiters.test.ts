import { describe, expect, it } from "vitest";
import type { RequestError } from "./errors.js";
import { ReadWaiters } from "./read-waiters.js";

function waiting(...deadlines: readonly number[]) {
  const waiters = new ReadWaiters();
  const ends: string[] = [];
  const tokens = deadlines.map((deadlineMs, index) =>
    waiters.add({
      deadlineMs,
      ready: () => ends.push(`${index} ready`),
      refuse: ({ code }: RequestError) => ends.push(`${index} ${code}`),
    }),
  );
  return { waiters, ends, tokens };
}

describe("reads that wait", () => {
  it("end once, as the replica says", () => {
    const { waiters, ends, tokens } = waiting(10, 10, 10);
    const [first = -1, second = -1, third = -1] = tokens;
    waiters.handleRefused(second, "primary-changed");
    waiters.handleReady(first);
    waiters.handleReady(second);
    waiters.handleRefused(third, "too-many");
    expect(ends).toEqual(["1 no-primary", "0 ready", "2 overloaded"]);
  });

  it("end at their deadline", () => {
    const { waiters, ends, tokens } = waiting(10, 20);
    expect(waiters.nextDeadlineMs).toBe(10);
    waiters.handleTick(10);
    expect(ends).toEqual(["0 no-quorum"]);
    expect(waiters.nextDeadlineMs).toBe(20);
    waiters.handleReady(tokens[0] ?? -1);
    expect(ends).toHaveLength(1);
  });

  it("are bounded", () => {
    const { waiters } = waiting(...Array.from({ length: 20_000 }, () => 10));
    expect(() => waiters.add({ deadlineMs: 10, ready() {}, refuse() {} })).toThrow(
      expect.objectContaining({ code: "overloaded" }),
    );
  });
});
