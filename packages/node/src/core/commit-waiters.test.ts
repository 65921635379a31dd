import { seqno } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { CommitWaiters } from "./commit-waiters.js";

function waiters(...seqnos: number[]): { waiters: CommitWaiters; ended: string[] } {
  const ended: string[] = [];
  const all = new CommitWaiters();
  for (const [index, at] of seqnos.entries()) {
    all.add({ seqno: seqno(at), deadlineMs: 100 + index, finish: (outcome) => ended.push(`${at} ${outcome}`) });
  }
  return { waiters: all, ended };
}

describe("CommitWaiters", () => {
  it("ends each waiter once, in order, when its seqno commits", () => {
    const { waiters: all, ended } = waiters(3, 4, 4, 7);
    all.handleCommit(seqno(2));
    expect(ended).toEqual([]);
    all.handleCommit(seqno(5));
    all.handleCommit(seqno(5));
    expect(ended).toEqual(["3 committed", "4 committed", "4 committed"]);
    expect(all.size).toBe(1);
  });

  it("tells those above a roll-back that they are lost, and keeps the rest", () => {
    const { waiters: all, ended } = waiters(3, 4, 5);
    all.handleRollback(seqno(4));
    expect(ended).toEqual(["5 lost"]);
    all.handleCommit(seqno(9));
    expect(ended).toEqual(["5 lost", "3 committed", "4 committed"]);
  });

  it("ends those whose deadline has come", () => {
    const { waiters: all, ended } = waiters(3, 4);
    expect(all.nextDeadlineMs).toBe(100);
    all.handleTick(99);
    expect(ended).toEqual([]);
    all.handleTick(100);
    expect(ended).toEqual(["3 deadline"]);
    expect(all.nextDeadlineMs).toBe(101);
  });
});
