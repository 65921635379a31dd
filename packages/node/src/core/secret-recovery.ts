/**
 * What lets members open the ledger without any node (ledger spec §11.2): beside each new ledger secret, shares of it for the members' keys, and
 * the secret before it under the new one. Services whose members gave no encryption keys write none of it.
 */
import type { CryptoSuite, KeyWrapping } from "@sealane/crypto";
import type { Transaction } from "@sealane/kv";
import { type LedgerSecret, makeRecovery, type NewSecret } from "@sealane/ledger";
import { RequestError } from "./errors.js";
import type { Member } from "./identity.js";
import { historicalSecrets, memberEncryptionKeys, recoveryShares, SINGLE, serviceConfig } from "./tables.js";

/** Who can recover a service's ledger secrets, and how many of them it takes. */
export interface ShareHolding {
  readonly members: readonly Member[];
  /** Default: more than half of the members that have encryption keys. */
  readonly threshold?: number;
}

/**
 * Into the first transaction: the members' encryption keys, the threshold, and the shares of the first ledger secret.
 * @throws RangeError when the threshold cannot be met. @throws CryptoError when a key is none.
 */
export function writeFirstRecovery(
  tx: Transaction,
  suite: CryptoSuite,
  wrapping: KeyWrapping,
  first: LedgerSecret,
  { members, threshold }: ShareHolding,
): void {
  const keys = members.flatMap(({ id, encryptionKey }) => (encryptionKey === undefined ? [] : [[id, encryptionKey]]));
  for (const [id = "", key = ""] of keys) tx.map(memberEncryptionKeys).put(id, key);
  if (keys.length === 0) {
    if (threshold !== undefined) throw new RangeError("without members' encryption keys there is nothing to recover");
    return;
  }
  tx.map(serviceConfig).put(SINGLE, { recovery_threshold: threshold ?? Math.floor(keys.length / 2) + 1 });
  writeRecovery(tx, suite, wrapping, first, undefined);
}

/**
 * Into the transaction that brings a new ledger secret.
 * @param secret - `from` is absent for one that applies from the entry behind that transaction.
 * @param previous - Undefined with the first.
 * @throws CryptoError when a member's key is none.
 */
export function writeRecovery(
  tx: Transaction,
  suite: CryptoSuite,
  wrapping: KeyWrapping,
  secret: Pick<NewSecret, "key" | "from">,
  previous: LedgerSecret | undefined,
): void {
  const holders = new Map(tx.map(memberEncryptionKeys).entries());
  if (holders.size === 0) return;
  const threshold = tx.map(serviceConfig).get(SINGLE)?.recovery_threshold;
  const stored = tx.map(historicalSecrets).versionOf(SINGLE)?.seqno;
  if (threshold === undefined || (previous !== undefined && stored === undefined))
    throw new RequestError("internal", "The records for the ledger's recovery are not complete.");
  const before = previous === undefined || stored === undefined ? {} : { previous: { ...previous, stored } };
  const made = makeRecovery(suite, wrapping, { ...secret, ...before }, { keys: holders, threshold });
  tx.map(recoveryShares).put(SINGLE, made.shares);
  tx.map(historicalSecrets).put(SINGLE, made.historical);
}
