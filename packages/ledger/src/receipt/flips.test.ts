/** Every single-bit flip of a receipt is refused, or proves the very same. */
import { utf8 } from "@sealane/wire";
import { expect, test } from "vitest";
import { suite } from "../../test/fixture.js";
import { receiptWorld } from "../../test/receipts.js";
import { ReceiptError } from "./errors.js";
import type { ReceiptFacts } from "./facts.js";
import { suiteCrypto } from "./receipt-crypto.js";
import { verifyReceipt } from "./verify-receipt.js";

const world = receiptWorld("P-256"); // the quicker of the two curves
const options = { crypto: suiteCrypto(suite), serviceCertificate: world.servicePem };

test.each([
  ["JSON", utf8(JSON.stringify(world.receipt(3).json))],
  ["JSON of a signature transaction", utf8(JSON.stringify(world.receipt(5).json)).subarray(0, 120)],
  ["COSE", world.receipt(3).cose ?? new Uint8Array()],
])("%s", { timeout: 60_000 }, async (form, bytes) => {
  const whole = form.includes("signature") ? utf8(JSON.stringify(world.receipt(5).json)) : bytes;
  const expected = await verifyReceipt(whole, options);
  let unchanged = 0;
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = whole.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    let facts: ReceiptFacts;
    try {
      facts = await verifyReceipt(flipped, options);
    } catch (error) {
      if (error instanceof ReceiptError) continue;
      throw error;
    }
    expect(facts).toEqual(expected);
    unchanged++;
  }
  expect(unchanged).toBe(0);
});
