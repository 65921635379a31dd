/** Every single-bit flip of a ledger of 64 KiB, 524,288 of them, with the secrets and without. */
import { expect, test } from "vitest";
import { checkFlips, LEDGER_BYTES, tamperWorld } from "../test/tamper.js";

const world = tamperWorld();
const timeout = 3_600_000;

test("with the secrets two flips are beyond finding, and each other one is found where it is", {
  timeout,
}, async () => {
  const { tried, accepted } = await checkFlips(world, true, 1);
  expect(tried).toBe(8 * LEDGER_BYTES);
  const last = world.lastSignature;
  expect(accepted).toEqual([
    expect.stringMatching(new RegExp(`^entry ${last} of ledger_\\d+, byte 1, bit 0$`)),
    expect.stringMatching(new RegExp(`^entry ${last + 1} of ledger_\\d+, byte 1, bit 1$`)),
  ]);
});

test("without the secrets every flip before the last signature is found", { timeout }, async () => {
  const { tried, accepted } = await checkFlips(world, false, 1);
  expect(tried).toBe(8 * LEDGER_BYTES);
  expect(accepted.length).toBeGreaterThan(0);
});
