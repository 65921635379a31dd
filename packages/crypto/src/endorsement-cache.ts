/** Remembers which (node certificate, service certificate) pairs passed, so that a reconnecting node costs no signature check. */

import { bytesToHex } from "@noble/hashes/utils.js";
import type { Certificate } from "./certificate.js";
import type { CryptoSuite } from "./suite.js";

/** Twice the nodes a service is meant to have, so that a renewal of all of them evicts nobody. */
const ENTRIES_MAX = 256;

/** A pair of which `verifyEndorsement` found everything right that depends on the bytes alone. */
export interface VerifiedPair {
  readonly leaf: Certificate;
  readonly service: Certificate;
}

/**
 * A bounded cache, least recently used out first. Owned by the caller, who gives it to `verifyEndorsement`. Only what passed is
 * kept: a stranger's certificates cannot push out those of nodes, since no stranger's certificate passes.
 */
export class EndorsementCache {
  readonly #entriesMax: number;
  /** In order of use, the least recent first. Invariant: size <= entriesMax. */
  readonly #pairs = new Map<string, VerifiedPair>();

  /** @param entriesMax - At least 1; 256 unless given. */
  constructor(entriesMax: number = ENTRIES_MAX) {
    if (!Number.isInteger(entriesMax) || entriesMax < 1) throw new RangeError("a cache holds at least 1 entry");
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#pairs.size;
  }

  get(suite: CryptoSuite, leafDer: Uint8Array, serviceDer: Uint8Array): VerifiedPair | undefined {
    const key = pairKey(suite, leafDer, serviceDer);
    const pair = this.#pairs.get(key);
    if (pair === undefined) return undefined;
    this.#pairs.delete(key);
    this.#pairs.set(key, pair);
    return pair;
  }

  add(suite: CryptoSuite, leafDer: Uint8Array, serviceDer: Uint8Array, pair: VerifiedPair): void {
    const key = pairKey(suite, leafDer, serviceDer);
    this.#pairs.delete(key);
    this.#pairs.set(key, pair);
    const [oldest] = this.#pairs.keys();
    if (this.#pairs.size > this.#entriesMax && oldest !== undefined) this.#pairs.delete(oldest);
  }

  /** Forgets everything, as when the service certificate is replaced. */
  clear(): void {
    this.#pairs.clear();
  }
}

/** Each certificate is hashed by itself: no shift of bytes from one to the other gives the same key. */
function pairKey(suite: CryptoSuite, leafDer: Uint8Array, serviceDer: Uint8Array): string {
  return bytesToHex(suite.sha256(leafDer)) + bytesToHex(suite.sha256(serviceDer));
}
