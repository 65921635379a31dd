/**
 * The ledger secrets out of a ledger and enough of its members' shares (ledger spec §11.2), with no node: the shares give the key that the
 * latest secret is wrapped with, and each secret opens the one before it. Believes only records that a signature stands behind; whether it is
 * one of the right service `verifyLedger` shows, and that the secrets are right the tags of the entries do.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { type Seqno, seqno, type WriteSet } from "@sealane/wire";
import { entriesFrom } from "../chunk-walk.js";
import { decodeEntry } from "../decode-entry.js";
import { LedgerError } from "../errors.js";
import type { LedgerSecret } from "../ledger-secrets.js";
import type { LedgerSource } from "../ledger-source.js";
import {
  decodeHistoricalSecret,
  decodeRecoveryShares,
  HISTORICAL_SECRET_TABLE,
  type HistoricalSecret,
  RECOVERY_SHARES_TABLE,
  type RecoveryShares,
} from "./recovery-records.js";
import { unwrapSecret, wrappingKey } from "./secret-wrapping.js";
import { combineShares } from "./shamir.js";

/** Ledger secrets of one ledger. */
const RECORDS_MAX = 65_536;

/** What a ledger holds for its recovery. */
export interface RecoveryRecords {
  /** The newest shares. */
  readonly shares: RecoveryShares;
  /** By the seqno of their entries, ascending; the last one is of the latest secret. */
  readonly historical: ReadonlyMap<Seqno, HistoricalSecret>;
}

export interface RecoveredSecrets {
  /** Ascending. */
  readonly secrets: readonly LedgerSecret[];
  /** Set when the ledger does not reach back to the record of an older secret: what was written before this seqno stays closed. */
  readonly openFrom?: Seqno;
}

/**
 * @throws {LedgerError} `no-shares`, `bad-recovery`; what `entriesFrom` and `decodeEntry` throw.
 */
export async function readRecovery(source: LedgerSource, suite: CryptoSuite): Promise<RecoveryRecords> {
  const historical = new Map<Seqno, HistoricalSecret>();
  /** Not under a signature yet: a view change may take them back. */
  let unsigned: { readonly at: Seqno; readonly shares?: RecoveryShares; readonly link?: HistoricalSecret }[] = [];
  let shares: RecoveryShares | undefined;
  for await (const { bytes } of entriesFrom(source, 1)) {
    const { seqno: at, publicMaps, isSignature } = decodeEntry(suite, undefined, bytes);
    const [sharesValue, linkValue] = [RECOVERY_SHARES_TABLE, HISTORICAL_SECRET_TABLE].map((table) =>
      valueIn(publicMaps, table),
    );
    if (sharesValue !== undefined || linkValue !== undefined) {
      unsigned.push({
        at,
        ...(sharesValue === undefined ? {} : { shares: decodeRecoveryShares(sharesValue) }),
        ...(linkValue === undefined ? {} : { link: decodeHistoricalSecret(linkValue) }),
      });
    }
    if (unsigned.length + historical.size > RECORDS_MAX)
      throw new LedgerError("too-large", `the ledger has more than ${RECORDS_MAX} recovery records`);
    if (!isSignature) continue;
    for (const record of unsigned) {
      shares = record.shares ?? shares;
      if (record.link !== undefined) historical.set(record.at, record.link);
    }
    unsigned = [];
  }
  if (shares === undefined || historical.size === 0)
    throw new LedgerError("no-shares", "this ledger holds no recovery shares: its members have no encryption keys");
  return { shares, historical };
}

/**
 * @param shares - Of the newest record, opened by their members: 44 bytes each.
 * @throws {LedgerError} `bad-share` when they do not open the latest secret; `bad-recovery` when that does not open one before.
 * @example
 * const records = await readRecovery(ledgerDirectory("data/ledger"), suite);
 * const shares = keys.map(([member, key]) => wrapping.unwrap(key, records.shares.encryptedShares.get(member)));
 * const { secrets } = recoverSecrets(suite, records, shares);
 */
export function recoverSecrets(
  suite: CryptoSuite,
  records: RecoveryRecords,
  shares: readonly Uint8Array[],
): RecoveredSecrets {
  const secret = combineShares(shares);
  const wrapper = wrappingKey(suite, secret);
  const key = unwrapSecret(suite, wrapper, records.shares.wrapped);
  suite.wipe(secret);
  suite.wipe(wrapper);
  if (key === undefined) {
    const given = shares.length === 1 ? "the share does" : `the ${shares.length} shares do`;
    throw new LedgerError(
      "bad-share",
      `${given} not open the ledger secret: there are too few, or they are another ledger's`,
    );
  }
  return olderSecrets(suite, records.historical, key);
}

/**
 * Follows the records backwards from the latest secret. A record may repeat what one before it says, where only the shares were made anew.
 * @throws {LedgerError} `bad-recovery`.
 */
export function olderSecrets(
  suite: CryptoSuite,
  historical: ReadonlyMap<Seqno, HistoricalSecret>,
  latest: Uint8Array,
): RecoveredSecrets {
  const [last] = [...historical].slice(-1);
  if (last === undefined) throw new LedgerError("no-shares", "this ledger holds no record of its secrets");
  const startOf = (at: Seqno, { next }: HistoricalSecret): Seqno => next ?? seqno(at + 1);
  const secrets = new Map([[startOf(...last), latest]]);
  for (let [at, record] = last; record.previous !== undefined; ) {
    const { encrypted, from, stored } = record.previous;
    const start = startOf(at, record);
    const own = secrets.get(start);
    const key = own === undefined ? undefined : unwrapSecret(suite, own, encrypted);
    // Each link leads back, so the walk ends whatever the records say.
    if (key === undefined || from >= start || (stored !== undefined && stored >= at))
      throw new LedgerError("bad-recovery", `the record at entry ${at} does not lead to the secret before`);
    secrets.set(from, key);
    const before = stored === undefined ? undefined : historical.get(stored);
    if (stored === undefined || before === undefined) break; // where the chain, or this ledger, begins
    [at, record] = [stored, before];
  }
  const ascending = [...secrets].map(([from, key]) => ({ from, key })).sort((a, b) => a.from - b.from);
  const openFrom = ascending[0]?.from ?? seqno(1);
  return openFrom === 1 ? { secrets: ascending } : { secrets: ascending, openFrom };
}

function valueIn(maps: WriteSet, table: string): Uint8Array | undefined {
  return maps.find(({ name }) => name === table)?.writes[0]?.[1];
}
