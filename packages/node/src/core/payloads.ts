/** What travels behind an append-entries header: the ledger's own bytes of the entries it covers, and what binds them to the header. */
import type { CryptoSuite } from "@sealane/crypto";
import { entriesDigest, type Ledger } from "@sealane/ledger";
import { type AppendEntries, seqno } from "@sealane/wire";

export interface Payload {
  /** Whole entries, back to back. */
  readonly entries: readonly Uint8Array[];
  /** 32 bytes (channel-v2 §5). */
  readonly digest: Uint8Array;
}

export class Payloads {
  readonly #suite: CryptoSuite;
  readonly #ledger: Pick<Ledger, "range" | "digests" | "firstSeqno">;

  constructor(suite: CryptoSuite, ledger: Pick<Ledger, "range" | "digests" | "firstSeqno">) {
    this.#suite = suite;
    this.#ledger = ledger;
  }

  /** The ledger's own bytes of the entries a message covers, and what binds them to its header; undefined when they are not in memory. */
  of({ prevSeqno, seqno: last }: AppendEntries): Payload | undefined {
    const first = seqno(prevSeqno + 1);
    const entries = this.#ledger.range(first, last);
    const digests = this.#ledger.digests(first, last);
    if (entries === undefined || digests === undefined) return undefined;
    return { entries, digest: entriesDigest(this.#suite, [digests]) };
  }

  /** The same for entries that were read from storage. */
  from(entries: readonly Uint8Array[]): Payload {
    const digests = entries.map((entry) => this.#suite.sha256(entry));
    return { entries, digest: entriesDigest(this.#suite, digests) };
  }

  /** Whether a message begins with an entry that was committed so long ago that it is in memory no more. */
  isBeforeMemory({ prevSeqno }: AppendEntries): boolean {
    return prevSeqno + 1 < this.#ledger.firstSeqno;
  }
}
