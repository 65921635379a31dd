/**
 * Remembers what is true of certificates whenever it is asked: which (node certificate, service certificate) pairs passed, so that a reconnecting
 * node costs no signature check, and what a service certificate says, so that a node met for the first time costs one reading and not two.
 */

import { bytesToHex } from "@noble/hashes/utils.js";
import { type Certificate, parseCertificate } from "./certificate.js";
import type { CryptoSuite } from "./suite.js";

/** Twice the nodes a service is meant to have, so that a renewal of all of them evicts nobody. */
const ENTRIES_MAX = 256;
/** A service has one certificate, and for a while two when it is renewed. */
const ANCHORS_MAX = 4;

/** A pair of which `verifyEndorsement` found everything right that depends on the bytes alone. */
export interface VerifiedPair {
  readonly leaf: Certificate;
  readonly service: Certificate;
}

/**
 * A bounded cache, least recently used out first. Owned by the caller, who gives it to `verifyEndorsement`. Only what passed is
 * kept: a stranger's certificates cannot push out those of nodes, since no stranger's certificate passes. Everything is found by SHA-256 of
 * the bytes, so nothing is believed of any other certificate; and nothing is kept that could turn wrong, such as that it was in time.
 */
export class EndorsementCache {
  readonly #entriesMax: number;
  /** In order of use, the least recent first. Invariant: size <= entriesMax. */
  readonly #pairs = new Map<string, VerifiedPair>();
  /** Service certificates as read, in order of use. They come from the caller's configuration, not from the network. Invariant: size <= ANCHORS_MAX. */
  readonly #anchors = new Map<string, Certificate>();

  /** @param entriesMax - At least 1; 256 unless given. */
  constructor(entriesMax: number = ENTRIES_MAX) {
    if (!Number.isInteger(entriesMax) || entriesMax < 1) throw new RangeError("a cache holds at least 1 entry");
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#pairs.size;
  }

  get(suite: CryptoSuite, leafDer: Uint8Array, serviceDer: Uint8Array): VerifiedPair | undefined {
    return used(this.#pairs, pairKey(suite, leafDer, serviceDer));
  }

  add(suite: CryptoSuite, leafDer: Uint8Array, serviceDer: Uint8Array, pair: VerifiedPair): void {
    keep(this.#pairs, pairKey(suite, leafDer, serviceDer), pair, this.#entriesMax);
  }

  /**
   * What the service certificate says, read at most once.
   * @throws {CertificateError} as `parseCertificate`; then nothing is kept.
   */
  anchor(suite: CryptoSuite, serviceDer: Uint8Array): Certificate {
    const key = certificateKey(suite, serviceDer);
    const known = used(this.#anchors, key);
    if (known !== undefined) return known;
    const certificate = parseCertificate(suite, serviceDer);
    keep(this.#anchors, key, certificate, ANCHORS_MAX);
    return certificate;
  }

  /** Forgets which pairs passed, as when the service certificate is replaced. What a service certificate says is true for ever, and stays. */
  clear(): void {
    this.#pairs.clear();
  }
}

/** Each certificate is hashed by itself: no shift of bytes from one to the other gives the same key. */
function pairKey(suite: CryptoSuite, leafDer: Uint8Array, serviceDer: Uint8Array): string {
  return certificateKey(suite, leafDer) + certificateKey(suite, serviceDer);
}

function certificateKey(suite: CryptoSuite, der: Uint8Array): string {
  return bytesToHex(suite.sha256(der));
}

/** The value of a key, which is now the most recently used. */
function used<T>(map: Map<string, T>, key: string): T | undefined {
  const value = map.get(key);
  if (value === undefined) return undefined;
  map.delete(key);
  map.set(key, value);
  return value;
}

/** Adds a value as the most recently used, and drops the least recent beyond the bound. */
function keep<T>(map: Map<string, T>, key: string, value: T, countMax: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > countMax && oldest !== undefined) map.delete(oldest);
}
