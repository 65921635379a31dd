/**
 * A whole ledger in figures: what any faithful reader of the directory must find, entry by entry and in sum. Made on the way of the
 * verifier, so there are figures of what holds only. Streams, but for the live state of the tables and one leaf for each entry.
 */
import { formatTxId, hex } from "@sealane/wire";
import type { LedgerFile, LedgerSource } from "../ledger-source.js";
import type { LedgerRefused, VerifyOptions } from "../verification.js";
import { verifiedEntries } from "../verify-ledger.js";
import { type SnapshotFigures, snapshotFigures } from "./snapshot-figures.js";
import { type FileFigures, type SignatureFigures, Tally, wholeFileDigest } from "./tally.js";
import { type TransactionFigures, transactionFigures } from "./transaction-figures.js";

export interface LedgerFigures {
  readonly files: readonly FileFigures[];
  readonly total_bytes: number;
  readonly transactions: number;
  /** Last seqno of the chunks named committed. */
  readonly committed_transactions: number;
  readonly entry_types: Readonly<Record<string, number>>;
  readonly transactions_with_private_writes: number;
  readonly views: readonly { readonly view: number; readonly first_seqno: number }[];
  readonly signatures: number;
  readonly cose_signatures: number;
  /** Null in a ledger without signatures. */
  readonly last_verified: string | null;
  readonly root_after_all: string;
  readonly distinct_public_tables: number;
  readonly public_state_entries: number;
  readonly public_state_digest: string;
  /** These three are null without the secrets. */
  readonly distinct_private_tables: readonly string[] | null;
  readonly private_state_entries: number | null;
  readonly private_state_digest: string | null;
  readonly public_state: Readonly<Record<string, number>>;
  readonly service_identities: number;
  readonly signature_roots: readonly SignatureFigures[];
  /** By name, ascending as text. */
  readonly snapshots: readonly SnapshotFigures[];
  /** The snapshot that a ledger without its first entries goes on from; the state counts from it. */
  readonly base?: { readonly seqno: number; readonly file: string };
}

export interface FiguresOptions extends Omit<VerifyOptions, "serviceCertificate"> {
  /** SHA-256 of a file. Default: the file is read whole, and hashed with the suite. */
  readonly digestOf?: (file: LedgerFile) => Promise<Uint8Array>;
}

export type FiguresResult =
  | { readonly ok: true; readonly figures: LedgerFigures }
  /** Of a bad snapshot `at.file` is its name. */
  | LedgerRefused;

/**
 * The figures of each transaction, and by `return` those of the whole.
 * @throws whatever the source throws when a file cannot be read.
 * @example
 * const lines = ledgerFigures(ledgerDirectory("data/ledger"), { suite, secrets });
 * for (let step = await lines.next(); !step.done; step = await lines.next()) print(step.value);
 */
export async function* ledgerFigures(
  source: LedgerSource,
  options: FiguresOptions,
): AsyncGenerator<TransactionFigures, FiguresResult, undefined> {
  const { suite, secrets } = options;
  const tally = new Tally();
  const snapshots: SnapshotFigures[] = [];
  const entries = verifiedEntries(source, options, {
    onBase: ({ snapshot }) => tally.install(snapshot),
    onSnapshot: (name, bytes, verified) => snapshots.push(snapshotFigures(suite, name, bytes, verified)),
  });
  let step = await entries.next();
  for (; step.done !== true; step = await entries.next()) {
    tally.add(step.value);
    yield transactionFigures(suite, secrets, step.value);
  }
  const result = step.value;
  if (!result.ok) return result;

  const files = await tally.files(source, options.digestOf ?? ((file) => wholeFileDigest(suite, file)));
  const { lastSigned, base } = result;
  const { publicState, privateState } = tally;
  return {
    ok: true,
    figures: {
      files,
      total_bytes: files.reduce((sum, { size }) => sum + size, 0),
      transactions: result.entries,
      committed_transactions: files.findLast(({ committed }) => committed)?.last_seqno ?? 0,
      entry_types: tally.entryTypes,
      transactions_with_private_writes: tally.withPrivateWrites,
      views: tally.views,
      signatures: result.signatures,
      cose_signatures: tally.signatures.filter(({ cose }) => cose).length,
      last_verified: lastSigned === undefined ? null : formatTxId(lastSigned),
      root_after_all: hex(result.root),
      distinct_public_tables: publicState.names.length,
      public_state_entries: publicState.entries,
      public_state_digest: hex(publicState.digest(suite)),
      distinct_private_tables: secrets === undefined ? null : privateState.names,
      private_state_entries: secrets === undefined ? null : privateState.entries,
      private_state_digest: secrets === undefined ? null : hex(privateState.digest(suite)),
      public_state: publicState.sizes,
      service_identities: result.serviceIdentities,
      signature_roots: tally.signatures,
      snapshots: snapshots.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      ...(base === undefined ? {} : { base }),
    },
  };
}
