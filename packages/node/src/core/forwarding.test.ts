import { NodeId, view } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { FORWARDED_MAX, Forwarding } from "./forwarding.js";

const PRIMARY = NodeId.parse("a".repeat(64));
const OTHER = NodeId.parse("b".repeat(64));
const VIEW = view(2);

describe("Forwarding", () => {
  it("numbers commands from 0 and finds the request an answer is for, once", () => {
    const forwarding = new Forwarding();
    expect(forwarding.add(41, PRIMARY, VIEW, 10)).toBe(0);
    expect(forwarding.add(42, PRIMARY, VIEW, 10)).toBe(1);
    expect(forwarding.takeAnswered(1, PRIMARY)).toBe(42);
    expect(forwarding.takeAnswered(1, PRIMARY)).toBeUndefined();
    expect(forwarding.takeAnswered(0, PRIMARY)).toBe(41);
  });

  it("takes an answer only from the node that was asked", () => {
    const forwarding = new Forwarding();
    forwarding.add(41, PRIMARY, VIEW, 10);
    expect(forwarding.takeAnswered(0, OTHER)).toBeUndefined();
    expect(forwarding.takeAnswered(0, PRIMARY)).toBe(41);
  });

  it("gives up at the deadline; a later answer finds nothing", () => {
    const forwarding = new Forwarding();
    forwarding.add(41, PRIMARY, VIEW, 10);
    forwarding.add(42, PRIMARY, VIEW, 20);
    expect(forwarding.nextDeadlineMs).toBe(10);
    expect(forwarding.takeExpired(10)).toEqual([41]);
    expect(forwarding.nextDeadlineMs).toBe(20);
    expect(forwarding.takeAnswered(0, PRIMARY)).toBeUndefined();
  });

  it("is full at its bound", () => {
    const forwarding = new Forwarding();
    for (let request = 0; request < FORWARDED_MAX; request++) forwarding.add(request, PRIMARY, VIEW, 10);
    expect(forwarding.isFull).toBe(true);
    forwarding.remove(0);
    expect(forwarding.isFull).toBe(false);
  });

  it("gives up what was sent in an earlier view, and nothing of the present one", () => {
    const forwarding = new Forwarding();
    forwarding.add(41, PRIMARY, VIEW, 10);
    forwarding.add(42, OTHER, view(3), 20);
    expect(forwarding.takeBefore(VIEW)).toEqual([]);
    expect(forwarding.takeBefore(view(3))).toEqual([41]);
    expect(forwarding.takeAnswered(0, PRIMARY)).toBeUndefined();
    expect(forwarding.takeAnswered(1, OTHER)).toBe(42);
  });
});
