import { expect, it } from "vitest";
import { AnsweredInits } from "./answered-inits.js";

const held = (inits: AnsweredInits, ids: string): string => [...ids].filter((id) => inits.has(id)).join("");

it("remembers as many as it may, and the oldest gives way", () => {
  const inits = new AnsweredInits(2);
  inits.add("a");
  inits.add("b");
  expect(held(inits, "ab")).toBe("ab");
  inits.add("c");
  expect(held(inits, "abc")).toBe("bc");
  inits.clear();
  expect(held(inits, "abc")).toBe("");
});

it("remembers none where none need be", () => {
  const inits = new AnsweredInits(0);
  inits.add("a");
  expect(inits.has("a")).toBe(false);
});
