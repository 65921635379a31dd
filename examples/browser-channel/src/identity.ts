/** Who an end is, and how a service comes to vouch for it. The private key never leaves the place that drew it. */
import { type CryptoSuite, endorse, type KeyPair, type ServiceIdentity, spkiHash } from "@sealane/crypto";
import { NodeId } from "@sealane/wire";

const DAY_MS = 86_400_000;

/** What an end has to be told before it can open a channel. */
export interface Endorsement {
  /** The end's certificate, issued by the service; DER. */
  readonly certificate: Uint8Array;
  /** The anchor, DER. */
  readonly serviceCertificate: Uint8Array;
  /** The other end. */
  readonly peer: NodeId;
}

export function nodeIdOf(suite: CryptoSuite, { publicKey }: Pick<KeyPair, "publicKey">): NodeId {
  return NodeId.parse(spkiHash(suite, publicKey.spki));
}

/** The day before and the day after: nobody's clock has to be right. */
export function aroundNow(): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
}

/**
 * @param spki - The node's public key as it came. Any bytes.
 * @returns The certificate, DER.
 * @throws {CryptoError} when the key is none.
 */
export function endorseNode(suite: CryptoSuite, service: ServiceIdentity, spki: Uint8Array): Uint8Array {
  const publicKey = suite.importPublicKey(spki);
  return endorse(suite, service, { publicKey, name: nodeIdOf(suite, { publicKey }), hosts: [], ...aroundNow() });
}
