import { NodeId } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { Standing } from "./standing.js";

const own = NodeId.parse("a".repeat(64));
const other = NodeId.parse("b".repeat(64));

function replica(over: Partial<ConstructorParameters<typeof Standing>[1]> = {}) {
  return { role: "backup", activeNodes: [own, other], retirementPhase: undefined, ...over } as const;
}

describe("Standing", () => {
  it("is joining until this node is in a configuration in force", () => {
    expect(new Standing(own, replica({ activeNodes: [other] })).phase).toBe("joining");
    expect(new Standing(own, replica()).phase).toBe("active");
  });

  it("is retiring from the entry that removes the node until nothing depends on it", () => {
    for (const retirementPhase of ["ordered", "signed", "completed"] as const) {
      const standing = new Standing(own, replica({ retirementPhase }));
      expect([standing.phase, standing.isRetired]).toEqual(["retiring", false]);
    }
    const gone = new Standing(own, replica({ retirementPhase: "retired-committed", role: "none" }));
    expect([gone.phase, gone.isRetired, gone.wasRemoved]).toEqual(["retired", true, false]);
  });

  it("does not tell a pre-vote from a campaign", () => {
    expect(new Standing(own, replica({ role: "pre-vote-candidate" })).role).toBe("candidate");
    expect(new Standing(own, replica({ role: "candidate" })).role).toBe("candidate");
  });

  it("is out for good once other nodes say so, whatever its own log says", () => {
    const standing = new Standing(own, replica({ role: "primary" }));
    standing.handleRemoved();
    expect([standing.role, standing.phase, standing.isRetired, standing.wasRemoved]).toEqual([
      "none",
      "retired",
      true,
      true,
    ]);
  });
});
