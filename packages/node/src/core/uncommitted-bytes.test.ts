import { seqno } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { UNCOMMITTED_BYTES_MAX, UncommittedBytes } from "./uncommitted-bytes.js";

const HALF = new Uint8Array(UNCOMMITTED_BYTES_MAX / 2);

function half(at: number, isSignature = false) {
  return { seqno: seqno(at), bytes: HALF, isSignature };
}

describe("UncommittedBytes", () => {
  it("is full at its bound, and no longer after a commit", () => {
    const bytes = new UncommittedBytes();
    bytes.handleAppend(half(1, true));
    expect(bytes.isFull).toBe(false);
    bytes.handleAppend(half(2));
    expect(bytes.isFull).toBe(true);
    bytes.handleCommit(seqno(1));
    expect(bytes.isFull).toBe(false);
  });

  it("counts what is behind the committed signature only", () => {
    const bytes = new UncommittedBytes();
    for (const entry of [half(1), half(2, true), half(3), half(4, true)]) bytes.handleAppend(entry);
    bytes.handleCommit(seqno(2));
    expect(bytes.isFull).toBe(true);
    bytes.handleCommit(seqno(4));
    expect(bytes.isFull).toBe(false);
  });

  it("forgets what was rolled back", () => {
    const bytes = new UncommittedBytes();
    for (const entry of [half(1, true), half(2), half(3)]) bytes.handleAppend(entry);
    bytes.handleRollback(seqno(1));
    expect(bytes.isFull).toBe(false);
    bytes.handleAppend(half(2));
    expect(bytes.isFull).toBe(true);
  });
});
