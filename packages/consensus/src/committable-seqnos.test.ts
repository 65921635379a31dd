import { seqno } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { CommittableSeqnos } from "./committable-seqnos.js";

function held(...seqnos: number[]): CommittableSeqnos {
  const committable = new CommittableSeqnos();
  for (const each of seqnos) committable.push(seqno(each));
  return committable;
}

describe("CommittableSeqnos", () => {
  test("finds the highest at or below and the first at or above", () => {
    const committable = held(4, 6, 9);
    expect([3, 4, 5, 9, 99].map((at) => committable.highestAtOrBelow(seqno(at)))).toEqual([undefined, 4, 4, 9, 9]);
    expect([3, 4, 7, 10].map((at) => committable.firstAtOrAbove(seqno(at)))).toEqual([4, 4, 9, undefined]);
    expect(committable.last).toBe(9);
  });

  test("a commit drops those up to it, a rollback those above it", () => {
    const committable = held(4, 6, 9);
    committable.commit(seqno(4));
    expect(committable.all).toEqual([6, 9]);
    committable.rollback(seqno(8));
    expect(committable.all).toEqual([6]);
  });

  test("signatures come in order", () => {
    expect(() => held(4, 4)).toThrow();
  });
});
