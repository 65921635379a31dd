/**
 * What stands in a ledger so that members can open it (ledger spec §11.2): with each new ledger secret, shares of the key it is wrapped with,
 * and the secret before it, encrypted with the new one. JSON, compact, keys in order.
 */
import { base64, fromBase64, fromUtf8, type Seqno, seqno, utf8, WireError } from "@sealane/wire";
import { LedgerError } from "../errors.js";
import { SHARES_MAX } from "./shamir.js";

export const RECOVERY_SHARES_TABLE = "public:ccf.internal.recovery_shares";
export const HISTORICAL_SECRET_TABLE = "public:ccf.internal.historical_encrypted_ledger_secret";

export interface RecoveryShares {
  /** tag ‖ IV ‖ ciphertext. */
  readonly wrapped: Uint8Array;
  /** Member id to its share, encrypted for its key. */
  readonly encryptedShares: ReadonlyMap<string, Uint8Array>;
  /** Where the record of the secret before stands; absent with the first secret. */
  readonly previousStored?: Seqno;
}

/** The chain backwards: one link with each ledger secret. */
export interface HistoricalSecret {
  /** From where the secret of this record applies; absent after a rotation, where that is the entry behind the record. */
  readonly next?: Seqno;
  /** The secret before, encrypted with the one of this record; absent with the first. */
  readonly previous?: {
    readonly encrypted: Uint8Array;
    readonly from: Seqno;
    /** Where its own record stands; absent in a record that has none before it. */
    readonly stored?: Seqno;
  };
}

export function encodeRecoveryShares({ wrapped, encryptedShares, previousStored }: RecoveryShares): Uint8Array {
  const members = [...encryptedShares].sort(([a], [b]) => (a < b ? -1 : 1));
  return jsonBytes({
    encrypted_shares: Object.fromEntries(members.map(([member, share]) => [member, base64(share)])),
    ...(previousStored === undefined ? {} : { previous_secret_stored_version: previousStored }),
    wrapped_latest_ledger_secret: base64(wrapped),
  });
}

export function encodeHistoricalSecret({ next, previous }: HistoricalSecret): Uint8Array {
  return jsonBytes({
    ...(next === undefined ? {} : { next_version: next }),
    ...(previous === undefined
      ? {}
      : {
          previous_ledger_secret: {
            encrypted_data: base64(previous.encrypted),
            ...(previous.stored === undefined ? {} : { previous_secret_stored_version: previous.stored }),
            version: previous.from,
          },
        }),
  });
}

/** @throws {LedgerError} `bad-recovery`. */
export function decodeRecoveryShares(value: Uint8Array): RecoveryShares {
  const fields = objectIn(value);
  const shares = Object.entries(asObject(fields.encrypted_shares));
  if (shares.length > SHARES_MAX) throw malformed();
  const previousStored = optionalSeqno(fields.previous_secret_stored_version);
  return {
    wrapped: bytesOf(fields.wrapped_latest_ledger_secret),
    encryptedShares: new Map(shares.map(([member, share]) => [member, bytesOf(share)])),
    ...(previousStored === undefined ? {} : { previousStored }),
  };
}

/** @throws {LedgerError} `bad-recovery`. */
export function decodeHistoricalSecret(value: Uint8Array): HistoricalSecret {
  const fields = objectIn(value);
  const next = optionalSeqno(fields.next_version);
  return { ...(next === undefined ? {} : { next }), ...previousIn(fields.previous_ledger_secret) };
}

function previousIn(value: unknown): Pick<HistoricalSecret, "previous"> {
  if (value === undefined || value === null) return {};
  const fields = asObject(value);
  const from = optionalSeqno(fields.version);
  const stored = optionalSeqno(fields.previous_secret_stored_version);
  if (from === undefined) throw malformed();
  return {
    previous: { encrypted: bytesOf(fields.encrypted_data), from, ...(stored === undefined ? {} : { stored }) },
  };
}

function jsonBytes(value: object): Uint8Array {
  return utf8(JSON.stringify(value));
}

function objectIn(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return asObject(JSON.parse(fromUtf8(bytes)));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof WireError) throw malformed();
    throw error;
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed();
  return { ...value };
}

function optionalSeqno(value: unknown): Seqno | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) throw malformed();
  return seqno(value);
}

function bytesOf(value: unknown): Uint8Array {
  if (typeof value !== "string") throw malformed();
  try {
    return fromBase64(value);
  } catch (error) {
    if (error instanceof WireError) throw malformed();
    throw error;
  }
}

/** No cause: it may quote the record. */
function malformed(): LedgerError {
  return new LedgerError("bad-recovery", "a recovery record is malformed");
}
