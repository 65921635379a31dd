import { type NetworkNode, NodeId } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { Inquiry } from "./inquiry.js";

const OWN = NodeId.parse("a".repeat(64));
const B = NodeId.parse("b".repeat(64));

function node(id: NodeId, status: NetworkNode["status"], isGone = false): NetworkNode {
  return { id, status, ...(isGone ? { retiredCommitted: true } : {}), nodeAddress: "n:1", apiAddress: "n:2" };
}

describe("Inquiry", () => {
  it("asks after two election timeouts of silence, again and again, and not while a primary is known", () => {
    const inquiry = new Inquiry(OWN, 1_000, []);
    expect(inquiry.takeDue(100_000)).toBe(false);
    inquiry.handlePrimary(false, 100_000);
    inquiry.handlePrimary(false, 101_500); // a candidacy of its own is still silence
    expect([inquiry.takeDue(101_999), inquiry.takeDue(102_000), inquiry.takeDue(102_001)]).toEqual([
      false,
      true,
      false,
    ]);
    expect(inquiry.dueMs).toBe(104_000);
    inquiry.handlePrimary(true, 103_000);
    expect(inquiry.takeDue(200_000)).toBe(false);
  });

  it("knows of itself that it is removed only once it may be switched off", () => {
    const inquiry = new Inquiry(OWN, 1_000, []);
    expect(inquiry.handleNetwork([node(OWN, "retired"), node(B, "retired", true)])).toBe(false);
    expect(inquiry.handleNetwork([node(OWN, "retired", true)])).toBe(true);
  });

  it("takes those for peers that take part, and none that is gone, whoever says otherwise later", () => {
    const inquiry = new Inquiry(OWN, 1_000, [node(B, "pending")]);
    expect(inquiry.told).toEqual([]);
    inquiry.handleNetwork([node(B, "trusted")]);
    expect(inquiry.told).toEqual([node(B, "trusted")]);
    inquiry.handleNetwork([node(B, "retired")]);
    expect(inquiry.told).toEqual([node(B, "retired")]); // still needed
    inquiry.handleNetwork([node(B, "retired", true)]);
    inquiry.handleNetwork([node(B, "trusted")]);
    expect(inquiry.told).toEqual([]);
  });
});
