/** A receipt of each `stride`th signed transaction of a real CCF ledger is built, and verifies as what it is (ledger spec §9). */
import { nativeSuite as suite } from "@sealane/crypto/native";
import { hex, seqno, view } from "@sealane/wire";
import { expect } from "vitest";
import { buildReceipt } from "../src/build-receipt.js";
import { ledgerDirectory } from "../src/files/ledger-directory.js";
import { type ReceiptFacts, suiteCrypto, verifyReceipt } from "../src/receipt.js";
import { expectedOf, ledgerDirectoryOf, secretsOf, serviceCertificatesOf, transactionsOf } from "./shared.js";

export async function checkReceipts(name: string, stride: number): Promise<void> {
  const expected = expectedOf(name);
  const source = ledgerDirectory(ledgerDirectoryOf(name));
  const services = serviceCertificatesOf(name);
  const options = { suite, secrets: secretsOf(expected), committed: seqno(expected.transactions) };
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
    if (transaction.seqno > last || transaction.seqno % stride !== 0) continue;
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
}
