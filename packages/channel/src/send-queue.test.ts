import { describe, expect, it } from "vitest";
import { SendQueue } from "./send-queue.js";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("SendQueue", () => {
  it("keeps the newest consensus header alone", () => {
    const queue = new SendQueue(10);
    queue.putConsensus(bytes(1));
    queue.putConsensus(bytes(2));
    expect(queue.takeConsensus()).toEqual(bytes(2));
    expect(queue.takeConsensus()).toBeUndefined();
  });

  it("keeps ten forwarded records in order and refuses the eleventh", () => {
    const queue = new SendQueue(10);
    for (let i = 0; i < 10; i++) expect(queue.putForwarded(bytes(i), bytes(i, i))).toBe(true);
    expect(queue.putForwarded(bytes(99), bytes())).toBe(false);
    expect(queue.takeForwarded()).toEqual({ header: bytes(0), plaintext: bytes(0, 0) });
    expect(queue.putForwarded(bytes(10), bytes())).toBe(true);
    for (let i = 1; i <= 10; i++) expect(queue.takeForwarded()?.header).toEqual(bytes(i));
    expect(queue.takeForwarded()).toBeUndefined();
  });

  it("is empty when neither kind waits", () => {
    const queue = new SendQueue(10);
    expect(queue.isEmpty).toBe(true);
    queue.putForwarded(bytes(1), bytes(2));
    expect(queue.isEmpty).toBe(false);
    queue.takeForwarded();
    expect(queue.isEmpty).toBe(true);
    queue.putConsensus(bytes(1));
    expect(queue.isEmpty).toBe(false);
  });

  it("holds copies: the caller may reuse its buffers", () => {
    const queue = new SendQueue(10);
    const header = bytes(1);
    const plaintext = bytes(2);
    queue.putConsensus(header);
    queue.putForwarded(header, plaintext);
    header[0] = 9;
    plaintext[0] = 9;
    expect(queue.takeConsensus()).toEqual(bytes(1));
    expect(queue.takeForwarded()).toEqual({ header: bytes(1), plaintext: bytes(2) });
  });

  it("forgets everything when cleared", () => {
    const queue = new SendQueue(10);
    queue.putConsensus(bytes(1));
    queue.putForwarded(bytes(1), bytes(2));
    queue.clear();
    expect(queue.takeConsensus()).toBeUndefined();
    expect(queue.takeForwarded()).toBeUndefined();
  });
});
