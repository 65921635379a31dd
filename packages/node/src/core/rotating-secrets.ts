/**
 * The ledger secrets of a running node (ledger spec §11.1). A rotation is a transaction at seqno v that carries the new secret wrapped for
 * each node; it is itself under the old secret, and the new one applies from v + 1. So entries say which secret opens the ones behind them,
 * and a node learns a secret where it appends that transaction, and forgets it where it takes it back.
 *
 * What a node was given, by founding the service or in the answer to its join, it never forgets: it was committed before.
 */
import type { CryptoSuite, KeyWrapping } from "@sealane/crypto";
import { type DecodedEntry, decodeEntry, LedgerError, type LedgerSecret, LedgerSecrets } from "@sealane/ledger";
import { fromBase64, type NodeId, type Seqno, seqno, type WriteSet } from "@sealane/wire";
import { wrappedSecretsIn } from "./tables.js";

/** A node's key for secrets that are wrapped for it. */
export interface EncryptionKey {
  readonly wrapping: KeyWrapping;
  /** PEM; on record with the service. */
  readonly publicKey: string;
  /** PKCS#8, DER. */
  readonly privateKey: Uint8Array;
}

/** A secret as the host keeps it beside the node's keys. */
export interface KeptSecret extends LedgerSecret {
  /** Learned from the ledger: it holds only as long as the transaction that brought it is there. */
  readonly isLearned?: true;
}

export class RotatingSecrets {
  /** Those that apply to the log as it is. Shared with the ledger, which encrypts with them. */
  readonly current: LedgerSecrets;
  readonly #suite: CryptoSuite;
  readonly #own: { readonly id: NodeId; readonly key: EncryptionKey | undefined };
  /** Where learned ones start, ascending. */
  #learned: readonly Seqno[] = [];

  constructor(
    suite: CryptoSuite,
    given: readonly LedgerSecret[],
    own: { readonly id: NodeId; readonly key: EncryptionKey | undefined },
  ) {
    this.#suite = suite;
    this.#own = own;
    this.current = new LedgerSecrets(given);
  }

  /** For the host to keep. */
  get kept(): KeptSecret[] {
    return this.current
      .list()
      .map((secret) => (this.#learned.includes(secret.from) ? { ...secret, isLearned: true } : secret));
  }

  /** Opens an entry of the log as it is. @throws LedgerError when it is malformed or fails its tag. */
  decode(bytes: Uint8Array): DecodedEntry {
    return decodeEntry(this.#suite, this.current, bytes);
  }

  /**
   * Opens entries from another node, in order, up to the first that cannot be opened. They may hold rotations of their own, or replace what is
   * in the log, so the secrets for them are those from before their first entry and what they bring themselves.
   */
  decodeAll(entries: readonly Uint8Array[], first: Seqno): DecodedEntry[] {
    const decoded: DecodedEntry[] = [];
    let secrets = this.current;
    for (const from of this.#learned) {
      if (from <= first) continue;
      if (secrets === this.current) secrets = secrets.copy();
      secrets.remove(from);
    }
    try {
      for (const bytes of entries) {
        const entry = decodeEntry(this.#suite, secrets, bytes);
        decoded.push(entry); // also one whose secret cannot be opened: appending it is a fault that is reported
        const secret = this.#secretIn(entry.writeSet, entry.seqno);
        if (secret !== undefined && !secrets.has(secret.from)) {
          if (secrets === this.current) secrets = secrets.copy();
          secrets.add(secret);
        }
      }
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
    }
    return decoded;
  }

  /**
   * An entry is in the log now. @returns whether it brought a secret.
   * @throws LedgerError `no-secret` when it brings one, and this node cannot open its share.
   */
  handleAppend(writeSet: WriteSet, at: Seqno): boolean {
    const secret = this.#secretIn(writeSet, at);
    if (secret === undefined) return false;
    this.current.add(secret);
    this.#learned = [...this.#learned, secret.from];
    return true;
  }

  /** A secret of this node's own making, for a service that it recovers: entries from `from` on are under it. There is none beyond yet. */
  give(from: Seqno): void {
    if (this.current.has(from)) this.current.remove(from); // of a recovery before, of which nothing was kept
    this.current.add({ from, key: this.#suite.randomBytes(LEDGER_SECRET_BYTES) });
  }

  /** The entries after `to` are gone. @returns whether a secret went with them. */
  handleRollback(to: Seqno): boolean {
    const gone = this.#learned.filter((from) => from > to + 1);
    for (const from of gone) this.current.remove(from);
    this.#learned = this.#learned.filter((from) => from <= to + 1);
    return gone.length > 0;
  }

  /** The secret an entry brings; undefined also when this node was given it: it may be from before its time, and then there is no share for it. */
  #secretIn(writeSet: WriteSet, at: Seqno): LedgerSecret | undefined {
    const shares = wrappedSecretsIn(writeSet);
    const from = seqno(at + 1);
    if (shares === undefined || (this.current.has(from) && !this.#learned.includes(from))) return undefined;
    const { id, key } = this.#own;
    const share = shares[id]?.[0]?.encrypted_secret;
    const secret = share === undefined ? undefined : key?.wrapping.unwrap(key.privateKey, fromBase64(share));
    if (secret === undefined || secret.length !== LEDGER_SECRET_BYTES) {
      throw new LedgerError("no-secret", `entry ${at} brings a ledger secret that this node cannot open`);
    }
    return { from, key: secret };
  }
}

export const LEDGER_SECRET_BYTES = 32;
