import { type NetworkNode, NodeId } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { peersOf } from "./peers-of.js";

function node(status: NetworkNode["status"], over: Partial<NetworkNode> = {}): NetworkNode {
  return { id: NodeId.parse("a".repeat(64)), status, nodeAddress: "recorded:1", apiAddress: "recorded:2", ...over };
}

const told = node("trusted", { nodeAddress: "told:1" });

describe("peersOf", () => {
  it("goes by the service's own record where there is one", () => {
    expect(peersOf([node("trusted")], [told])).toEqual([node("trusted")]);
    expect(peersOf([node("retired")], [])).toEqual([node("retired")]);
  });

  it("takes what it was told while the record is missing, or from before the trust", () => {
    expect(peersOf([], [told])).toEqual([told]);
    expect(peersOf([node("pending")], [told])).toEqual([told]);
    expect(peersOf([node("pending")], [])).toEqual([]);
  });

  it("leaves out a node that is gone, whatever it was told", () => {
    expect(peersOf([node("retired", { retiredCommitted: true })], [told])).toEqual([]);
  });
});
