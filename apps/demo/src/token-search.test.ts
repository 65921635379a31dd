import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { TokenSearch } from "./token-search.js";

test("finds a needle wherever it stands, and nothing else", () => {
  const needles = Array.from({ length: 500 }, () => randomBytes(12).toString("hex"));
  const search = new TokenSearch(needles);
  const hay = randomBytes(200_000);
  expect(search.find(hay)).toBeUndefined();
  for (const offset of [0, 1, 99_991, hay.length - 24]) {
    const copy = Buffer.from(hay);
    copy.write(String(needles[offset % 500]), offset, "latin1");
    expect(search.find(copy)).toEqual({ needle: needles[offset % 500], offset });
  }
});

test("a needle cut off by the end is not found", () => {
  expect(new TokenSearch(["abcdef"]).find(Buffer.from("xxabcde"))).toBeUndefined();
});

test("needles with one prefix are told apart", () => {
  expect(new TokenSearch(["abcdef", "abcdxy"]).find(Buffer.from("__abcdxy"))).toEqual({ needle: "abcdxy", offset: 2 });
});
