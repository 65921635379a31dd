/**
 * The offline verifier: walks a ledger directory from its first entry and names the first thing that is wrong (ledger spec §1, §8.1, and what
 * §8.3 says a checker should add). It reads each byte once, in order, and holds one entry, the tree's edge and the tables of §8.
 *
 * A ledger whose first entries are gone goes on from a snapshot, which the service has proven by a receipt (§10.3). Entries that are still
 * there from before it are covered by the snapshot's tree: their signatures must sign the roots they make, and the last root must be the
 * snapshot's. Who was allowed to sign them, only the entries that are gone could tell.
 *
 * What proves what. A signature covers every entry before it through the Merkle root; the chain of trust is service identity → node
 * certificate → signature, and all of it stands in the ledger. So a ledger someone made up from nothing is as consistent as a real one:
 * give `serviceCertificate` to know whose it is. Bytes of the last signature entry itself, and of everything behind it, are covered by no
 * signature; with the ledger secrets all of them but the flags are authenticated by AES-256-GCM. Cutting whole entries off the end cannot be
 * seen from inside: compare `lastSigned` with what you know to be committed.
 */
import { SignatureChecker } from "./check-signature.js";
import { orderChunks } from "./chunk-walk.js";
import { LedgerError, type VerifyErrorCode } from "./errors.js";
import type { LedgerSource } from "./ledger-source.js";
import type { VerifiedSnapshot } from "./snapshot/verify-snapshot.js";
import { SnapshotAudit } from "./snapshot-audit.js";
import type { VerifiedEntry, VerifyOptions, VerifyResult } from "./verification.js";
import { VerifierWalk } from "./verifier-walk.js";

/**
 * Verifies a whole ledger.
 * @returns What was found; a damaged or forged ledger is a result, not an exception.
 * @throws whatever the source throws when a file cannot be read; LedgerError `bad-certificate` when `serviceCertificate` is none.
 * @example
 * const result = await verifyLedger(ledgerDirectory("data/ledger"), { suite });
 * if (!result.ok) report(`entry ${result.at.seqno} in ${result.at.file} at ${result.at.offset}: ${result.code}`);
 */
export async function verifyLedger(
  source: LedgerSource,
  options: VerifyOptions,
  hooks: WalkHooks = {},
): Promise<VerifyResult> {
  const walk = walkLedger(source, options, hooks, false);
  for (;;) {
    const step = await walk.next();
    if (step.done === true) return step.value;
  }
}

/** For who wants more than the verdict. */
export interface WalkHooks {
  /** Before the first entry of a ledger that goes on from a snapshot. */
  readonly onBase?: (verified: VerifiedSnapshot) => void;
  /** After the last entry, oldest snapshot first. `bytes`: the whole file. */
  readonly onSnapshot?: (name: string, bytes: Uint8Array, verified: VerifiedSnapshot) => void;
  /** Certificates that were parsed before: for who verifies one ledger many times. Default: none. */
  readonly checker?: SignatureChecker;
}

/**
 * The same, handing out each entry once it has been checked; nothing is read ahead of who asks.
 * @returns by `return`, the result. After a refusal the entries up to the bad one have been handed out.
 * @throws as `verifyLedger`.
 */
export function verifiedEntries(
  source: LedgerSource,
  options: VerifyOptions,
  hooks: WalkHooks = {},
): AsyncGenerator<VerifiedEntry, VerifyResult, undefined> {
  return walkLedger(source, options, hooks, true);
}

/** @param wanted - Whether entries are handed out: to stop at each of them takes longer than to check a small one. */
async function* walkLedger(
  source: LedgerSource,
  options: VerifyOptions,
  { onBase, onSnapshot, checker = new SignatureChecker(options.suite) }: WalkHooks,
  wanted: boolean,
): AsyncGenerator<VerifiedEntry, VerifyResult, undefined> {
  const files = await source.files();
  const audit = await SnapshotAudit.of(options.snapshots, options);
  const walk = new VerifierWalk(options, audit, checker);
  try {
    const chunks = orderChunks(files);
    const first = chunks[0]?.first ?? 1;
    if (first > 1) {
      const base = await walk.start(source, first);
      onBase?.(base);
    }
    for (const [index, chunk] of chunks.entries()) {
      const next = chunks[index + 1];
      if (wanted) yield* walk.entries(chunk, next);
      else await walk.pass(chunk, next);
    }
    for await (const { name, bytes, ...verified } of walk.snapshots()) onSnapshot?.(name, bytes, verified);
    return walk.finish();
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    // Storage codes come from storages, of which none is here; the source's own errors are not LedgerErrors.
    return { ok: false, at: walk.at, code: error.code as VerifyErrorCode, message: error.message };
  }
}
