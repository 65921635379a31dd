/**
 * One ledger that another implementation wrote, read as a whole and held to the figures and receipts that come with it. What is given beside
 * the ledger is its secrets and its service certificates; all else is found here.
 */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { nativeSuite as suite } from "@sealane/crypto/native";
import {
  buildReceipt,
  type FiguresResult,
  type LedgerFigures,
  LedgerSecrets,
  ledgerFigures,
  type TransactionFigures,
} from "@sealane/ledger";
import { fileDigest, ledgerDirectory, snapshotDirectory } from "@sealane/ledger/files";
import { suiteCrypto, verifyReceipt } from "@sealane/ledger/receipt";
import { base64, fromBase64, fromHex, hex, parseTxId, type Seqno, seqno } from "@sealane/wire";
import { type Comparison, compareJson, sum } from "./differences.js";

/** The figures of one ledger in `expected.json`. */
export interface ExpectedLedger {
  readonly ledger: string;
  readonly transactions: number;
  readonly ledger_secrets: readonly { readonly from_seqno: number; readonly key: string }[];
}

interface ExpectedReceipt {
  readonly transaction_id: string;
  readonly signature_seqno: number;
  readonly root: string;
  readonly leaf: string;
  readonly receipt: object;
  readonly endorsed_by_service_identity: number | null;
  readonly cose_receipt_b64?: string;
  readonly cose_service_identity?: number | null;
}

export interface Conformance {
  readonly name: string;
  readonly figures: Comparison;
  readonly transactions: Comparison;
  readonly receipts: Comparison;
  /** How many there were. */
  readonly counts: {
    readonly transactions: number;
    readonly signatures: number;
    readonly coseSignatures: number;
    readonly receipts: number;
    readonly coseReceipts: number;
    readonly snapshots: number;
  };
}

/** @param directory - With `ledger/`, `transactions.jsonl`, `receipts.json`, `service_cert_<k>.pem` and perhaps `snapshots/`. */
export async function conformLedger(directory: string, expected: ExpectedLedger): Promise<Conformance> {
  const { ledger: name, ledger_secrets, ...expectedFigures } = expected;
  const secrets = new LedgerSecrets(
    ledger_secrets.map(({ from_seqno, key }) => ({ from: seqno(from_seqno), key: fromHex(key) })),
  );
  const found = await readFigures(directory, secrets);
  const { figures } = found;
  const transactions = await compareTransactions(directory, found.transactions);
  const expectedReceipts: ExpectedReceipt[] = JSON.parse(await readFile(join(directory, "receipts.json"), "utf8"));
  const receipts = await compareReceipts(directory, secrets, seqno(expected.transactions), expectedReceipts);
  return {
    name,
    figures: compareJson("figures", expectedFigures, figures),
    transactions,
    receipts,
    counts: {
      transactions: found.transactions.length,
      signatures: figures.signatures,
      coseSignatures: figures.cose_signatures,
      receipts: expectedReceipts.length,
      coseReceipts: expectedReceipts.filter(({ cose_receipt_b64 }) => cose_receipt_b64 !== undefined).length,
      snapshots: figures.snapshots.length,
    },
  };
}

async function readFigures(
  directory: string,
  secrets: LedgerSecrets,
): Promise<{ readonly transactions: TransactionFigures[]; readonly figures: LedgerFigures }> {
  const snapshots = join(directory, "snapshots");
  const lines = ledgerFigures(ledgerDirectory(join(directory, "ledger")), {
    suite,
    secrets,
    digestOf: fileDigest,
    ...(existsSync(snapshots) ? { snapshots: snapshotDirectory(snapshots) } : {}),
  });
  const transactions: TransactionFigures[] = [];
  let step: IteratorResult<TransactionFigures, FiguresResult> = await lines.next();
  for (; step.done !== true; step = await lines.next()) transactions.push(step.value);
  if (!step.value.ok) throw new Error(`${step.value.at.file}: ${step.value.code}: ${step.value.message}`);
  return { transactions, figures: step.value.figures };
}

async function compareTransactions(directory: string, found: readonly TransactionFigures[]): Promise<Comparison> {
  const text = await readFile(join(directory, "transactions.jsonl"), "utf8");
  const expected: unknown[] = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line));
  return compareJson("transactions", expected, found);
}

/** Each is built again and compared as bytes, and verified under each service identity: one must hold, and no other. */
async function compareReceipts(
  directory: string,
  secrets: LedgerSecrets,
  committed: Seqno,
  expected: readonly ExpectedReceipt[],
): Promise<Comparison> {
  const source = ledgerDirectory(join(directory, "ledger"));
  const names = (await readdir(directory)).filter((file) => /^service_cert_[0-9]+\.pem$/.test(file)).sort();
  const services = await Promise.all(names.map((file) => readFile(join(directory, file), "utf8")));
  const comparisons: Comparison[] = [];
  for (const [index, given] of expected.entries()) {
    const { json, cose, signatureTxId, root, leaf } = await buildReceipt(source, parseTxId(given.transaction_id), {
      suite,
      secrets,
      committed,
    });
    const found = {
      transaction_id: given.transaction_id,
      signature_seqno: signatureTxId.seqno,
      root: hex(root),
      leaf: hex(leaf),
      receipt: JSON.stringify(json),
      endorsed_by_service_identity: await verifyingService(JSON.stringify(given.receipt), services),
      ...(cose === undefined ? {} : { cose_receipt_b64: base64(cose) }),
      ...(given.cose_receipt_b64 === undefined
        ? {}
        : { cose_service_identity: await verifyingService(fromBase64(given.cose_receipt_b64), services) }),
    };
    comparisons.push(compareJson(`receipts[${index}]`, { ...given, receipt: JSON.stringify(given.receipt) }, found));
  }
  return sum(comparisons);
}

/** The one service under which a receipt holds; null when there is none, and a text when there are more. */
async function verifyingService(
  receipt: Uint8Array | string,
  services: readonly string[],
): Promise<number | string | null> {
  const crypto = suiteCrypto(suite);
  const verdicts = await Promise.allSettled(
    services.map((serviceCertificate) => verifyReceipt(receipt, { crypto, serviceCertificate })),
  );
  const holding = verdicts.flatMap(({ status }, index) => (status === "fulfilled" ? [index] : []));
  return holding.length > 1 ? holding.join() : (holding[0] ?? null);
}
