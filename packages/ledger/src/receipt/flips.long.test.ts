/** Every single-bit flip of a receipt is refused. */
import { test } from "vitest";
import { checkFlips, RECEIPTS } from "../../test/receipt-flips.js";

test.each(RECEIPTS)("$form", { timeout: 120_000 }, ({ whole, bytes }) => checkFlips(whole, bytes));
