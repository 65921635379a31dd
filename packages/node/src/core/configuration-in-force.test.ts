import { type NodeId, seqno } from "@sealane/wire";
import { expect, it } from "vitest";
import { ConfigurationInForce } from "./configuration-in-force.js";

const node = "a".repeat(64) as NodeId;
const at = (value: number) => ({ seqno: seqno(value), nodes: [node] });

it("tells the commit that brings a configuration into force from those before and after it", () => {
  const inForce = new ConfigurationInForce();
  expect(inForce.handleCommit(seqno(2), [at(1)])).toBe(true);
  expect(inForce.handleCommit(seqno(4), [at(1), at(5)])).toBe(false);
  // Both commits of one turn: the replica is as after the second.
  expect(inForce.handleCommit(seqno(4), [at(5)])).toBe(false);
  expect(inForce.handleCommit(seqno(6), [at(5)])).toBe(true);
  expect(inForce.handleCommit(seqno(8), [at(5), at(9)])).toBe(false);
});

it("has nothing to tell while no configuration is known", () => {
  expect(new ConfigurationInForce().handleCommit(seqno(2), [])).toBe(false);
});
