/** The recovery material of a new ledger secret (ledger spec §11.2), as what a transaction writes beside it. */
import type { CryptoSuite, KeyWrapping } from "@sealane/crypto";
import type { Seqno } from "@sealane/wire";
import { IV_BYTES } from "../limits.js";
import { encodeHistoricalSecret, encodeRecoveryShares } from "./recovery-records.js";
import { wrappingKey, wrapSecret } from "./secret-wrapping.js";
import { newSecret, splitSecret } from "./shamir.js";

export interface NewSecret {
  /** 32 bytes, the secret that applies from now on. */
  readonly key: Uint8Array;
  /** Where it applies; absent for one that is rotated in: from the entry behind its record. */
  readonly from?: Seqno;
  /** The one before it; absent with a service's first. */
  readonly previous?: {
    readonly key: Uint8Array;
    readonly from: Seqno /** Where its record stands. */;
    readonly stored: Seqno;
  };
}

export interface ShareHolders {
  /** Member id to an encryption key in PEM, RSA of 2,048 bits. At least one. */
  readonly keys: ReadonlyMap<string, string>;
  /** So many shares open the ledger. */
  readonly threshold: number;
}

/**
 * @returns the values of `RECOVERY_SHARES_TABLE` and `HISTORICAL_SECRET_TABLE`.
 * @throws {CryptoError} when a member's key is none. @throws {RangeError} when the threshold cannot be met.
 */
export function makeRecovery(
  suite: CryptoSuite,
  wrapping: KeyWrapping,
  { key, from, previous }: NewSecret,
  { keys, threshold }: ShareHolders,
): { readonly shares: Uint8Array; readonly historical: Uint8Array } {
  const secret = newSecret(suite);
  const wrapper = wrappingKey(suite, secret);
  const shares = splitSecret(suite, secret, threshold, keys.size);
  try {
    const encrypted = [...keys].map(([member, publicKey], index) => {
      const share = shares[index] ?? new Uint8Array(0);
      return [member, wrapping.wrap(publicKey, share)] as const;
    });
    return {
      shares: encodeRecoveryShares({
        wrapped: wrapSecret(suite, wrapper, new Uint8Array(IV_BYTES), key), // a key of its own: no IV can repeat
        encryptedShares: new Map(encrypted),
        ...(previous === undefined ? {} : { previousStored: previous.stored }),
      }),
      historical: encodeHistoricalSecret({
        ...(from === undefined ? {} : { next: from }),
        ...(previous === undefined
          ? {}
          : {
              previous: {
                encrypted: wrapSecret(suite, key, suite.randomBytes(IV_BYTES), previous.key),
                from: previous.from,
                stored: previous.stored,
              },
            }),
      }),
    };
  } finally {
    for (const bytes of [secret, wrapper, ...shares]) suite.wipe(bytes);
  }
}
