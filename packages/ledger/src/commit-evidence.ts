/**
 * Commit evidence (ledger spec §5): text that only a holder of the ledger secret can make, revealed once the transaction is committed. Its
 * SHA-256 stands in the entry, so every entry needs it, and it is made in memory that is used again.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { formatTxId, fromUtf8, type TxId, utf8 } from "@sealane/wire";
import { DIGEST_BYTES } from "./limits.js";

/** §5: CCF takes the first 8 bytes of a longer label; all real ledgers agree on these. */
const COMMIT_SECRET_LABEL = utf8("Commit S");

const PREFIX = utf8("ce:");
const COLON = 0x3a;
/** A view has at most 10 digits, a seqno 16, and a dot is between them. */
const TX_ID_BYTES_MAX = 10 + 1 + 16;
const EVIDENCE_BYTES_MAX = PREFIX.length + TX_ID_BYTES_MAX + 1 + 2 * DIGEST_BYTES;
const HEX_DIGITS = utf8("0123456789abcdef");

/** RFC 2104 §2: the block of SHA-256, and what a key of at most that length is padded and masked with. */
const BLOCK_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** Makes the evidence of every transaction under one ledger secret. */
export class EvidenceMaker {
  readonly #suite: CryptoSuite;
  // HMAC by hand, because its key never changes: two hashes over memory with the masked key in front cost half of what an HMAC object does.
  readonly #inner = new Uint8Array(BLOCK_BYTES + TX_ID_BYTES_MAX);
  readonly #outer = new Uint8Array(BLOCK_BYTES + DIGEST_BYTES);
  /** Holds one evidence at a time, overwritten by the next: nothing outside sees it. */
  readonly #evidence = new Uint8Array(EVIDENCE_BYTES_MAX);

  /** @param ledgerSecret - 32 bytes. Borrowed for the call. */
  constructor(suite: CryptoSuite, ledgerSecret: Uint8Array) {
    this.#suite = suite;
    const commitSecret = suite.hmacSha256(ledgerSecret, COMMIT_SECRET_LABEL);
    for (let index = 0; index < BLOCK_BYTES; index++) {
      const byte = commitSecret[index] ?? 0; // shorter than a block: zeros behind it
      this.#inner[index] = byte ^ INNER_PAD;
      this.#outer[index] = byte ^ OUTER_PAD;
    }
    suite.wipe(commitSecret);
    this.#evidence.set(PREFIX);
  }

  /** `ce:<view>.<seqno>:<64 hex digits>`. */
  text(txId: TxId): string {
    return fromUtf8(this.#make(txId));
  }

  /** SHA-256 of the text; 32 bytes. */
  digest(txId: TxId): Uint8Array {
    return this.#suite.sha256(this.#make(txId));
  }

  #make(txId: TxId): Uint8Array {
    const evidence = this.#evidence;
    const id = formatTxId(txId);
    for (let index = 0; index < id.length; index++) {
      const charCode = id.charCodeAt(index);
      this.#inner[BLOCK_BYTES + index] = charCode;
      evidence[PREFIX.length + index] = charCode;
    }
    this.#outer.set(this.#suite.sha256(this.#inner.subarray(0, BLOCK_BYTES + id.length)), BLOCK_BYTES);
    const nonce = this.#suite.sha256(this.#outer);
    let end = PREFIX.length + id.length;
    evidence[end++] = COLON;
    for (const byte of nonce) {
      evidence[end++] = HEX_DIGITS[byte >> 4] ?? 0; // four bits: there is a digit
      evidence[end++] = HEX_DIGITS[byte & 15] ?? 0;
    }
    return evidence.subarray(0, end);
  }
}
