/** The keys inside a node, and the certificates made with them (design.md §1; channel-v2 §3). */
import {
  type CryptoSuite,
  type Curve,
  createServiceIdentity,
  endorse,
  endorseService,
  type KeyPair,
  type PublicKey,
  parseCertificate,
  pemDecode,
  spkiHash,
} from "@sealane/crypto";
import { NodeId } from "@sealane/wire";

/** The service identity S. Every trusted node holds it; it endorses node certificates. */
export interface ServiceKeys {
  /** Hex SHA-256 of the service key's SPKI: what ballots name. */
  readonly id: string;
  readonly keyPair: KeyPair;
  /** DER. */
  readonly certificate: Uint8Array;
}

/** A member of the consortium. */
export interface Member {
  /** Hex SHA-256 of the key's SPKI. */
  readonly id: string;
  /** PEM; only its key counts. */
  readonly certificate: string;
  /** PEM, RSA of 2,048 bits: for its share of the ledger secrets. Without one it has none. */
  readonly encryptionKey?: string;
}

/** Node certificates are valid this long. Channels check identity, not time (channel-v2 §3), but TLS clients check time. */
const NODE_CERTIFICATE_DAYS = 365;
const SERVICE_CERTIFICATE_DAYS = 3650;
const DAY_MS = 86_400_000;
/** Certificates begin this much earlier, for clients whose clocks are behind. */
const CLOCK_SLACK_MS = 3_600_000;

/**
 * Curves on which a service has node keys: its own, so that the cost of a commit is decided once, and P-384 in any service (channel-v2 §1).
 * @param curve - Of the service key.
 */
export function nodeCurves(curve: Curve): readonly Curve[] {
  return curve === "P-384" ? ["P-384"] : ["P-384", curve];
}

/** @param options.former - How many identities the service had before. */
export function newServiceKeys(
  suite: CryptoSuite,
  nowMs: number,
  { curve = "P-384", former = 0 }: { readonly curve?: Curve; readonly former?: number } = {},
): ServiceKeys {
  const identity = createServiceIdentity(suite, {
    name: "Sealane service",
    curve,
    pathLength: former,
    ...validity(nowMs, SERVICE_CERTIFICATE_DAYS),
  });
  return serviceKeys(suite, identity.keyPair, identity.certificate);
}

/** Vouches for the identity before. @param former - Its certificate, DER. @param earlier - How many there were before that one. */
export function endorseFormerService(
  suite: CryptoSuite,
  service: ServiceKeys,
  former: Uint8Array,
  earlier: number,
  nowMs: number,
): Uint8Array {
  return endorseService(suite, service, former, { pathLength: earlier, ...validity(nowMs, SERVICE_CERTIFICATE_DAYS) });
}

export function serviceKeys(suite: CryptoSuite, keyPair: KeyPair, certificate: Uint8Array): ServiceKeys {
  return { id: spkiHash(suite, keyPair.publicKey.spki), keyPair, certificate };
}

/** Endorses a node's key with the service key, for the host name or address its API is published under. */
export function endorseNode(
  suite: CryptoSuite,
  service: ServiceKeys,
  node: { readonly id: NodeId; readonly publicKey: PublicKey; readonly hosts: readonly string[] },
  nowMs: number,
): Uint8Array {
  return endorse(suite, service, {
    publicKey: node.publicKey,
    name: node.id,
    hosts: [...node.hosts],
    ...validity(nowMs, NODE_CERTIFICATE_DAYS),
  });
}

export function nodeIdOf(suite: CryptoSuite, publicKey: PublicKey): NodeId {
  return NodeId.parse(spkiHash(suite, publicKey.spki));
}

/**
 * Reads a member's certificate.
 * @throws CertificateError when it is no certificate on an allowed curve.
 */
export function readMember(suite: CryptoSuite, pem: string): Member & { readonly publicKey: PublicKey } {
  const { publicKey } = parseCertificate(suite, pemDecode("CERTIFICATE", pem));
  return { id: spkiHash(suite, publicKey.spki), certificate: pem, publicKey };
}

/** The validity of a certificate made now. */
export function validity(nowMs: number, days: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(nowMs - CLOCK_SLACK_MS), notAfter: new Date(nowMs + days * DAY_MS) };
}
