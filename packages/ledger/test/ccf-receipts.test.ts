/** Receipts out of four real CCF ledgers: the given ones byte for byte, and one for each eleventh transaction that a signature covers (ledger spec §9). */
import { nativeSuite as suite } from "@sealane/crypto/native";
import { base64, fromBase64, hex, parseTxId, seqno } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { buildReceipt } from "../src/build-receipt.js";
import { ledgerDirectory } from "../src/files/ledger-directory.js";
import { type ReceiptCrypto, suiteCrypto, verifyReceipt, webCrypto } from "../src/receipt.js";
import { checkReceipts } from "./all-receipts.js";
import {
  ABSENT,
  CCF_LEDGERS,
  ccfLedgersPresent,
  expectedOf,
  ledgerDirectoryOf,
  receiptsOf,
  secretsOf,
  serviceCertificatesOf,
} from "./shared.js";

if (!ccfLedgersPresent) test.skip(ABSENT, () => {});

const CRYPTO: readonly (readonly [string, ReceiptCrypto])[] = [
  ["native suite", suiteCrypto(suite)],
  ["Web Crypto", webCrypto(globalThis.crypto.subtle)],
];

describe.skipIf(!ccfLedgersPresent).each(CCF_LEDGERS)("%s", (name) => {
  const expected = expectedOf(name);
  const source = ledgerDirectory(ledgerDirectoryOf(name));
  const services = serviceCertificatesOf(name);
  const options = { suite, secrets: secretsOf(expected), committed: seqno(expected.transactions) };

  test("the given receipts are reproduced, JSON and COSE", async () => {
    for (const given of receiptsOf(name)) {
      const built = await buildReceipt(source, parseTxId(given.transaction_id), options);
      expect(JSON.stringify(built.json)).toBe(JSON.stringify(given.receipt));
      expect(built.signatureTxId.seqno).toBe(given.signature_seqno);
      expect(hex(built.root)).toBe(given.root);
      expect(hex(built.leaf)).toBe(given.leaf);
      expect(built.cose && base64(built.cose)).toBe(given.cose_receipt_b64);
    }
  });

  test.each(CRYPTO)(
    "the given receipts verify with %s, and only under the service that made them",
    async (_, crypto) => {
      for (const given of receiptsOf(name)) {
        for (const [index, serviceCertificate] of services.entries()) {
          const text = JSON.stringify(given.receipt);
          const verdict = verifyReceipt(text, { crypto, serviceCertificate });
          if (index !== given.endorsed_by_service_identity)
            await expect(verdict).rejects.toMatchObject({ code: "not-endorsed" });
          else expect(await verdict).toMatchObject({ transactionId: parseTxId(given.transaction_id) });
          if (given.cose_receipt_b64 === undefined) continue;
          const cose = verifyReceipt(fromBase64(given.cose_receipt_b64), { crypto, serviceCertificate });
          if (index !== given.cose_service_identity)
            await expect(cose).rejects.toMatchObject({ code: "other-service" });
          else expect(hex((await cose).root)).toBe(given.root);
        }
      }
    },
  );

  test("a receipt of every eleventh transaction verifies", () => checkReceipts(name, 11));
});
