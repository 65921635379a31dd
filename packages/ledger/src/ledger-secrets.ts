/** The keys that entries are encrypted with, and what is derived from them (ledger spec §4, §5). */
import type { AeadKey, CryptoSuite } from "@sealane/crypto";
import { type Seqno, seqno, type TxId } from "@sealane/wire";
import { EvidenceMaker } from "./commit-evidence.js";
import { LedgerError } from "./errors.js";

const SECRET_BYTES = 32;

/** A ledger secret and the seqno from which it applies. */
export interface LedgerSecret {
  readonly from: Seqno;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** What one secret gives under one suite. */
export interface SecretKeys {
  readonly aead: AeadKey;
  readonly evidence: EvidenceMaker;
}

interface Held {
  readonly secret: LedgerSecret;
  derived?: { readonly suite: CryptoSuite; readonly keys: SecretKeys };
}

/**
 * All ledger secrets a node holds; they come and go with the transactions that bring them (§11.1). Nothing of it can be printed or
 * serialised; `list()` hands keys out on purpose.
 * @example
 * const secrets = new LedgerSecrets([{ from: seqno(1), key: suite.randomBytes(32) }]);
 */
export class LedgerSecrets {
  // Invariant: at least one, ascending by `from`, no `from` twice.
  #secrets: readonly Held[];

  /**
   * @param secrets - At least one, in any order. Keys are copied.
   * @throws {RangeError} when there is none, a key is not 32 bytes long, or two start at one seqno.
   */
  constructor(secrets: readonly LedgerSecret[]) {
    if (secrets.length === 0) throw new RangeError("a ledger has at least one secret");
    for (const { key } of secrets) {
      if (key.length !== SECRET_BYTES)
        throw new RangeError(`a ledger secret has ${SECRET_BYTES} bytes, got ${key.length}`);
    }
    if (new Set(secrets.map(({ from }) => from)).size !== secrets.length) {
      throw new RangeError("two ledger secrets start at the same seqno");
    }
    this.#secrets = secrets
      .map(({ from, key }) => ({ secret: { from, key: key.slice() } }))
      .sort((a, b) => a.secret.from - b.secret.from);
  }

  /**
   * The secret for an entry: the one with the greatest start ≤ `seqno` (§4).
   * @throws {LedgerError} `no-secret` when the first one starts later.
   */
  keyFor(seqno: Seqno): LedgerSecret {
    return this.#find(seqno).secret;
  }

  /** The AEAD key and the commit evidence for an entry; derived once per secret. @throws {LedgerError} `no-secret`. */
  keysFor(suite: CryptoSuite, seqno: Seqno): SecretKeys {
    const found = this.#find(seqno);
    if (found.derived?.suite !== suite) {
      const { key } = found.secret;
      const keys = { aead: suite.aead(key), evidence: new EvidenceMaker(suite, key) };
      found.derived = { suite, keys };
    }
    return found.derived.keys;
  }

  /** From where the latest secret applies. */
  get lastFrom(): Seqno {
    return this.#secrets.at(-1)?.secret.from ?? seqno(0);
  }

  has(from: Seqno): boolean {
    return this.#secrets.some(({ secret }) => secret.from === from);
  }

  /** Adds one, from wherever it applies. The key is copied. @throws {RangeError} as the constructor; nothing changed. */
  add(secret: LedgerSecret): void {
    if (this.has(secret.from)) throw new RangeError("two ledger secrets start at the same seqno");
    const added = new LedgerSecrets([secret]).#secrets;
    this.#secrets = [...this.#secrets, ...added].sort((a, b) => a.secret.from - b.secret.from);
  }

  /** Forgets the secret that applies from `from`. @throws {RangeError} when there is none, or no other. */
  remove(from: Seqno): void {
    const left = this.#secrets.filter(({ secret }) => secret.from !== from);
    if (left.length === 0 || left.length === this.#secrets.length) {
      throw new RangeError(`there is no ledger secret from ${from} on that could be removed`);
    }
    this.#secrets = left;
  }

  /** Another one that is a copy of this: what is added to either is not in the other. */
  copy(): LedgerSecrets {
    const copy = new LedgerSecrets(this.list());
    copy.#secrets = this.#secrets; // shares what was derived; the array itself never changes
    return copy;
  }

  /** All secrets, ascending, for a node that joins. The keys are copies: wipe them after use. */
  list(): LedgerSecret[] {
    return this.#secrets.map(({ secret }) => ({ from: secret.from, key: secret.key.slice() }));
  }

  #find(seqno: Seqno): Held {
    const found = this.#secrets.findLast(({ secret }) => secret.from <= seqno);
    if (found === undefined) throw new LedgerError("no-secret", `no ledger secret applies at seqno ${seqno}`);
    return found;
  }
}

/**
 * The commit evidence of a transaction (§5): text that only a holder of the ledger secret can make, revealed once the transaction is
 * committed. Its SHA-256 stands in the entry.
 * @returns `ce:<view>.<seqno>:<64 hex digits>`.
 * @throws {LedgerError} `no-secret`.
 */
export function commitEvidence(suite: CryptoSuite, secrets: LedgerSecrets, txId: TxId): string {
  return secrets.keysFor(suite, txId.seqno).evidence.text(txId);
}
