import { expect, test } from "vitest";
import { PrimaryContact } from "./primary-contact.js";

test("nobody was heard of at first, not even at time zero", () => {
  expect(new PrimaryContact(100).isRecent(0)).toBe(false);
});

test.each([
  [100, 50],
  [101, 51],
  [1, 1],
])("with an election timeout of %i ms a primary counts as live for %i ms", (timeoutMs, liveMs) => {
  const contact = new PrimaryContact(timeoutMs);
  contact.heard(1_000);
  expect(contact.minTimeoutMs).toBe(liveMs);
  expect(contact.isRecent(1_000 + liveMs - 1)).toBe(true);
  expect(contact.isRecent(1_000 + liveMs)).toBe(false);
});
