import { seqno } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { Retirement } from "./retirement.js";

/** Removed at 5, signed at 7. */
function signed(): Retirement {
  const retirement = new Retirement();
  retirement.order(seqno(5));
  retirement.sign(seqno(7));
  return retirement;
}

describe("Retirement (§11.1)", () => {
  test("the phases follow one another", () => {
    const retirement = new Retirement();
    const phases = [retirement.phase];
    for (const step of [
      () => retirement.order(seqno(5)),
      () => retirement.sign(seqno(7)),
      () => retirement.commit(seqno(7)),
      () => retirement.finish(),
    ]) {
      step();
      phases.push(retirement.phase);
    }
    expect(phases).toEqual([undefined, "ordered", "signed", "completed", "retired-committed"]);
  });

  test("a signature while active, and a commit below the signature, change nothing", () => {
    const active = new Retirement();
    active.sign(seqno(3));
    expect(active.phase).toBeUndefined();
    const retirement = signed();
    retirement.commit(seqno(6));
    expect(retirement.phase).toBe("signed");
  });

  test("the first signature counts, later ones do not move it", () => {
    const retirement = signed();
    retirement.sign(seqno(9));
    expect(retirement.state?.signedSeqno).toBe(7);
  });

  test.each([
    [7, "signed"],
    [6, "ordered"],
    [5, "ordered"],
    [4, undefined],
  ])("a rollback to %i leaves %s", (to, phase) => {
    const retirement = signed();
    retirement.rollback(seqno(to));
    expect(retirement.phase).toBe(phase);
  });

  test("a removal is ordered once: identities are not used again", () => {
    const retirement = signed();
    retirement.order(seqno(9));
    expect(retirement.state).toEqual({ removedSeqno: 5, signedSeqno: 7, phase: "signed" });
  });

  test("goes on after a restart where it was", () => {
    const { state } = signed();
    if (state === undefined) throw new Error("there is a removal");
    const retirement = new Retirement(state);
    retirement.commit(seqno(7));
    expect(retirement.phase).toBe("completed");
  });

  test("a committed removal is not undone", () => {
    const retirement = signed();
    retirement.commit(seqno(8));
    retirement.rollback(seqno(0));
    expect(retirement.phase).toBe("completed");
  });

  test("nobody is retired-committed before its removal is committed", () => {
    const retirement = signed();
    expect(retirement.finish()).toBe(false);
    expect(retirement.phase).toBe("signed");
  });
});
