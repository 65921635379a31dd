/**
 * Every single-bit flip of a ledger of 64 KiB, 524,288 of them, with the secrets and without: one test for each bit of a byte. All take a quarter
 * of an hour of one processor (`pnpm test:exhaustive`); with the other long tests those of the bits run in which the undetectable ones are.
 */
import { describe, expect, test } from "vitest";
import { checkFlips, LEDGER_BYTES, tamperWorld } from "../test/tamper.js";

const world = tamperWorld();
const last = world.lastSignature;
const timeout = 3_600_000;
const BITS = process.env.SEALANE_LONG === "all" ? [0, 1, 2, 3, 4, 5, 6, 7] : [0, 1];

/** The flips that nothing can find, by bit. */
const UNDETECTABLE = new Map([
  [0, `entry ${last} of ledger_${last - 2}, byte 1, bit 0`],
  [1, `entry ${last + 1} of ledger_${last + 1}, byte 1, bit 1`],
]);

describe("with the secrets two flips are beyond finding, and each other one is found where it is", () => {
  test.each(BITS)("bit %i of each byte", { timeout }, async (bit) => {
    const { tried, accepted } = await checkFlips(world, true, 8, bit);
    expect(tried).toBe(LEDGER_BYTES);
    const expected = UNDETECTABLE.get(bit);
    expect(accepted).toEqual(expected === undefined ? [] : [expected]);
  });
});

describe("without the secrets every flip before the last signature is found", () => {
  test.each(BITS)("bit %i of each byte", { timeout }, async (bit) => {
    const { tried, accepted } = await checkFlips(world, false, 8, bit);
    expect(tried).toBe(LEDGER_BYTES);
    expect(accepted.length).toBeGreaterThan(0);
  });
});
