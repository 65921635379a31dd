import { seqno, type TxStatus, view } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { CommitWaiters } from "./commit-waiters.js";

function waiters(...seqnos: number[]): { waiters: CommitWaiters; ended: string[] } {
  const ended: string[] = [];
  const all = new CommitWaiters();
  for (const [index, at] of seqnos.entries()) {
    all.add({
      txId: { view: view(2), seqno: seqno(at) },
      deadlineMs: 100 + index,
      finish: (outcome) => ended.push(`${at} ${outcome}`),
    });
  }
  return { waiters: all, ended };
}

const unasked = (): TxStatus => {
  throw new Error("nothing is in doubt");
};

describe("CommitWaiters", () => {
  it("ends each waiter once, in order, when its seqno commits", () => {
    const { waiters: all, ended } = waiters(3, 4, 4, 7);
    all.handleCommit(seqno(2), unasked);
    expect(ended).toEqual([]);
    all.handleCommit(seqno(5), unasked);
    all.handleCommit(seqno(5), unasked);
    expect(ended).toEqual(["3 committed", "4 committed", "4 committed"]);
    expect(all.size).toBe(1);
  });

  it("tells those above a roll-back, and above the last signature, that they are lost, and keeps the rest", () => {
    const { waiters: all, ended } = waiters(3, 4, 5);
    all.handleRollback(seqno(4), seqno(4));
    expect(ended).toEqual(["5 lost"]);
    all.handleCommit(seqno(9), unasked);
    expect(ended).toEqual(["5 lost", "3 committed", "4 committed"]);
  });

  it("keeps what was signed and rolled back in doubt until something is committed in its place", () => {
    const { waiters: all, ended } = waiters(3, 4, 5, 6, 7);
    all.handleRollback(seqno(3), seqno(6));
    expect(ended).toEqual(["7 lost"]);
    expect(all.size).toBe(4);
    const statuses = new Map<number, TxStatus>([
      [4, "committed"],
      [5, "invalid"],
      [6, "unknown"],
    ]);
    all.handleCommit(seqno(5), ({ seqno: at }) => statuses.get(at) ?? "pending");
    expect(ended).toEqual(["7 lost", "3 committed", "4 committed", "5 lost"]);
    expect(all.nextDeadlineMs).toBe(103);
    all.handleTick(103);
    expect(ended.at(-1)).toBe("6 deadline");
    expect(all.size).toBe(0);
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
