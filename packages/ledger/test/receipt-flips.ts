/** Single-bit flips of receipts, for a test that samples them and one that tries all. */
import { utf8 } from "@sealane/wire";
import { expect } from "vitest";
import { ReceiptError } from "../src/receipt/errors.js";
import type { ReceiptFacts } from "../src/receipt/facts.js";
import { suiteCrypto } from "../src/receipt/receipt-crypto.js";
import { verifyReceipt } from "../src/receipt/verify-receipt.js";
import { suite } from "./fixture.js";
import { receiptWorld } from "./receipts.js";

const world = receiptWorld("P-256"); // the quicker of the two curves
const options = { crypto: suiteCrypto(suite), serviceCertificate: world.servicePem };
const ofSignature = utf8(JSON.stringify(world.receipt(5).json));

/** `bytes`: how many of the receipt are tried; verifying one without a path takes milliseconds. */
export const RECEIPTS: readonly { readonly form: string; readonly whole: Uint8Array; readonly bytes?: number }[] = [
  { form: "JSON", whole: utf8(JSON.stringify(world.receipt(3).json)) },
  { form: "JSON of a signature transaction", whole: ofSignature, bytes: 120 },
  { form: "COSE", whole: world.receipt(3).cose ?? new Uint8Array() },
];

/** Each `stride`th flip is refused. */
export async function checkFlips(whole: Uint8Array, bytes = whole.length, stride = 1): Promise<void> {
  const expected = await verifyReceipt(whole, options);
  let unchanged = 0;
  for (let bit = 0; bit < 8 * bytes; bit += stride) {
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
}
