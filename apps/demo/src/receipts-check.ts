/** Whether what was acknowledged can be proved to somebody who knows no more than the service certificate. */
import { nativeSuite } from "@sealane/crypto/native";
import { buildReceipt, LedgerError, LedgerSecrets } from "@sealane/ledger";
import { ledgerDirectory } from "@sealane/ledger/files";
import { ReceiptError, suiteCrypto, verifyReceipt } from "@sealane/ledger/receipt";
import { formatTxId, parseTxId, type Seqno } from "@sealane/wire";
import type { Acknowledged } from "./append.js";
import type { DemoSecret } from "./secrets.js";

/** Spread over all acknowledged lines; each costs a few signature checks. */
const RECEIPTS_MAX = 100;

export interface ReceiptFindings {
  /** In both forms, JSON and COSE. */
  readonly receipts: number;
  readonly problems: readonly string[];
}

export async function checkReceipts(
  ledgerDir: string,
  committed: Seqno,
  secrets: readonly DemoSecret[],
  serviceCertificate: string,
  acknowledged: readonly Acknowledged[],
): Promise<ReceiptFindings> {
  const source = ledgerDirectory(ledgerDir);
  const options = { suite: nativeSuite, secrets: new LedgerSecrets(secrets), committed };
  const trust = { crypto: suiteCrypto(nativeSuite), serviceCertificate };
  const problems: string[] = [];
  const every = Math.ceil(acknowledged.length / RECEIPTS_MAX);
  const sample = acknowledged.filter((_, index) => index % every === 0);
  for (const { txId } of sample) {
    try {
      const { json, cose } = await buildReceipt(source, parseTxId(txId), options);
      if (cose === undefined) problems.push(`${txId} has no receipt in COSE.`);
      for (const form of [JSON.stringify(json), ...(cose === undefined ? [] : [cose])]) {
        const { transactionId } = await verifyReceipt(form, trust);
        const proved = transactionId === undefined ? "no transaction" : formatTxId(transactionId);
        if (proved !== txId) problems.push(`The receipt of ${txId} proves ${proved}.`);
      }
    } catch (error) {
      if (!(error instanceof LedgerError || error instanceof ReceiptError)) throw error;
      problems.push(`${txId} cannot be proved: ${error.message}.`);
    }
  }
  return { receipts: sample.length, problems };
}
