/** Receipts out of four real CCF ledgers: the given ones byte for byte, and one for every transaction that a signature covers (ledger spec §9). */
import { nativeSuite as suite } from "@sealane/crypto/native";
import { base64, fromBase64, hex, parseTxId, seqno, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { buildReceipt } from "../src/build-receipt.js";
import { ledgerDirectory } from "../src/files/ledger-directory.js";
import { type ReceiptCrypto, type ReceiptFacts, suiteCrypto, verifyReceipt, webCrypto } from "../src/receipt.js";
import {
  ABSENT,
  CCF_LEDGERS,
  ccfLedgersPresent,
  expectedOf,
  ledgerDirectoryOf,
  receiptsOf,
  secretsOf,
  serviceCertificatesOf,
  transactionsOf,
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

  test("a receipt of every transaction verifies", { timeout: 60_000 }, async () => {
    const crypto = suiteCrypto(suite);
    const last = expected.signature_roots.at(-1)?.seqno ?? 0;
    let cose = 0;
    let service = 0;
    /** Service identities follow one another; a receipt that the present one refuses belongs to the next. */
    const verifyWithNext = async (receipt: string | Uint8Array): Promise<ReceiptFacts> => {
      for (; service < services.length - 1; service++) {
        const serviceCertificate = services[service] ?? "";
        const facts = await verifyReceipt(receipt, { crypto, serviceCertificate }).catch(() => undefined);
        if (facts !== undefined) return facts;
      }
      return verifyReceipt(receipt, { crypto, serviceCertificate: services[service] ?? "" });
    };
    for (const transaction of transactionsOf(name)) {
      if (transaction.seqno > last) continue;
      const txId = { view: view(transaction.view), seqno: seqno(transaction.seqno) };
      const built = await buildReceipt(source, txId, options);
      const facts = await verifyWithNext(JSON.stringify(built.json));
      expect(facts.root).toEqual(built.root);
      if (transaction.commit_evidence !== null && !transaction.signature) {
        expect(facts.transactionId).toEqual(txId);
        expect(facts.writeSetDigest && hex(facts.writeSetDigest)).toBe(transaction.write_set_digest);
        expect(facts.claimsDigest && hex(facts.claimsDigest)).toBe(transaction.claims_digest ?? undefined);
      }
      if (built.cose === undefined) continue;
      expect((await verifyWithNext(built.cose)).transactionId).toEqual(txId);
      cose++;
    }
    const withCose = expected.signature_roots.filter(({ cose: has }) => has).length;
    expect(cose > 0).toBe(withCose > 0);
  });
});
