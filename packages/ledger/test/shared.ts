/** Where the real CCF ledgers lie, and what is expected of them. Tests that need them are skipped, with a line, where they are absent. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromHex, seqno } from "@sealane/wire";
import { LedgerSecrets } from "../src/ledger-secrets.js";

const root = process.env.SEALANE_SHARED ?? fileURLToPath(new URL("../../../../shared", import.meta.url));
const directory = join(root, "ccf-ledgers");

export const ccfLedgersPresent = existsSync(join(directory, "expected.json"));
export const ABSENT = "skipped: the real CCF ledgers are not here (set SEALANE_SHARED)";

export const CCF_LEDGERS = [
  "cose_flipflop_service",
  "double_sealed_service",
  "expired_service",
  "sgx_service",
] as const;

export interface Expected {
  readonly ledger: string;
  readonly transactions: number;
  readonly signatures: number;
  readonly last_verified: string;
  readonly root_after_all: string;
  readonly service_identities: number;
  readonly ledger_secrets: readonly { readonly from_seqno: number; readonly key: string }[];
  readonly files: readonly {
    readonly name: string;
    readonly first_seqno: number;
    readonly last_seqno: number;
    readonly positions_offset: number;
  }[];
  readonly signature_roots: readonly {
    readonly seqno: number;
    readonly view: number;
    readonly root: string;
    readonly node: string;
    readonly cose: boolean;
    readonly tree_first_leaf: number;
    readonly tree_leaves: number;
    readonly tree_extra_hashes: number;
  }[];
}

export interface ExpectedTransaction {
  readonly seqno: number;
  readonly view: number;
  readonly entry_type: number;
  readonly flags: number;
  readonly size: number;
  readonly offset: number;
  readonly file: string;
  readonly signature: boolean;
  readonly public_tables: number;
  readonly public_writes: number;
  readonly public_removes: number;
  readonly private_bytes: number;
  readonly private_tables: readonly string[];
  readonly write_set_digest: string;
  readonly claims_digest: string | null;
  readonly commit_evidence: string | null;
  readonly leaf: string;
}

export interface ExpectedReceipt {
  readonly transaction_id: string;
  readonly signature_seqno: number;
  readonly root: string;
  readonly leaf: string;
  readonly receipt: object;
  readonly endorsed_by_service_identity: number | null;
  readonly cose_receipt_b64?: string;
  readonly cose_service_identity?: number | null;
}

export function receiptsOf(name: string): ExpectedReceipt[] {
  return JSON.parse(readFileSync(join(directory, name, "receipts.json"), "utf8"));
}

export function expectedOf(name: string): Expected {
  const all: Record<string, Expected> = JSON.parse(readFileSync(join(directory, "expected.json"), "utf8"));
  const expected = all[name];
  if (expected === undefined) throw new Error(`no expected figures for ${name}`);
  return expected;
}

export function transactionsOf(name: string): ExpectedTransaction[] {
  const lines = readFileSync(join(directory, name, "transactions.jsonl"), "utf8").split("\n");
  return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line));
}

export function secretsOf(expected: Expected): LedgerSecrets {
  return new LedgerSecrets(
    expected.ledger_secrets.map(({ from_seqno, key }) => ({ from: seqno(from_seqno), key: fromHex(key) })),
  );
}

export function ledgerDirectoryOf(name: string): string {
  return join(directory, name, "ledger");
}

export function snapshotDirectoryOf(name: string): string {
  return join(directory, name, "snapshots");
}

export function serviceCertificatesOf(name: string): string[] {
  const files = [0, 1, 2, 3].map((index) => join(directory, name, `service_cert_${index}.pem`));
  return files.filter((file) => existsSync(file)).map((file) => readFileSync(file, "utf8"));
}
