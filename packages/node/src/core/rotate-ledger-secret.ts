/**
 * Changing the ledger secret (ledger spec §11.1), as a transaction: a new secret, wrapped for every node that takes part. The transaction is
 * still under the old one; the new one applies from the entry after it.
 */
import { CryptoError, type CryptoSuite, type KeyWrapping } from "@sealane/crypto";
import type { Transaction } from "@sealane/kv";
import type { LedgerSecret } from "@sealane/ledger";
import { base64, LEDGER_SECRETS_MAX, type Seqno } from "@sealane/wire";
import { RequestError } from "./errors.js";
import { LEDGER_SECRET_BYTES } from "./rotating-secrets.js";
import { writeRecovery } from "./secret-recovery.js";
import { encryptedLedgerSecrets, isTakingPart, networkNodes, nodeInfos, SINGLE } from "./tables.js";

export interface SecretsState {
  /** Undefined in a node that cannot wrap secrets. */
  readonly wrapping: KeyWrapping | undefined;
  /** The latest secret. */
  readonly current: LedgerSecret;
  readonly count: number;
  /** Whether the transaction that brought it is committed. */
  readonly isSettled: boolean;
}

/**
 * @param current - The secret to replace. A ballot names it, so that an old ballot cannot be used again.
 * @returns `false` when that was done before.
 * @throws RequestError `conflict` when it cannot be done, `overloaded` when it cannot be done just now.
 */
export function mayRotate(tx: Transaction, current: Seqno, secrets: SecretsState): boolean {
  const { from } = secrets.current;
  if (current > from)
    throw new RequestError("conflict", `No ledger secret applies from ${current}: the latest is from ${from}.`);
  if (current < from) return false;
  if (!secrets.isSettled) throw new RequestError("overloaded", "The ledger secret is being changed. Cast it again.");
  if (secrets.count >= LEDGER_SECRETS_MAX) {
    throw new RequestError("conflict", `A service has at most ${LEDGER_SECRETS_MAX} ledger secrets.`);
  }
  const nodes = networkNodes(tx, tx).filter(isTakingPart);
  if (nodes.some(({ status }) => status === "retired")) {
    // It must read on until its removal is complete, and should not learn the new secret.
    throw new RequestError("overloaded", "A node is being removed. Cast this ballot again when that is done.");
  }
  const without = nodes.find(({ id }) => tx.map(nodeInfos).get(id)?.encryption_pub_key === undefined);
  if (secrets.wrapping === undefined || without !== undefined) {
    const who = without === undefined ? "the primary" : `node ${without.id}`;
    throw new RequestError("conflict", `The ledger secret cannot be changed: ${who} has no key to wrap it for.`);
  }
  return true;
}

/** Writes the new secret; `mayRotate` has said that it can. */
export function rotateLedgerSecret(tx: Transaction, suite: CryptoSuite, { wrapping, current }: SecretsState): void {
  const secret = suite.randomBytes(LEDGER_SECRET_BYTES);
  try {
    const shares = networkNodes(tx, tx)
      .filter(({ status }) => status === "trusted")
      .map(({ id }) => {
        const wrapped = wrapping?.wrap(tx.map(nodeInfos).get(id)?.encryption_pub_key ?? "", secret);
        return [id, [{ version: null, encrypted_secret: base64(wrapped ?? new Uint8Array(0)) }]] as const;
      });
    if (wrapping !== undefined) writeRecovery(tx, suite, wrapping, { key: secret }, current);
    tx.map(encryptedLedgerSecrets).put(SINGLE, Object.fromEntries(shares.map(([id, share]) => [id, [...share]])));
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new RequestError(
      "conflict",
      "The ledger secret cannot be changed: an encryption key of a node or member is none.",
    );
  } finally {
    suite.wipe(secret);
  }
}
