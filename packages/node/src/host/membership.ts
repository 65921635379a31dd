/** What makes a process a member of a service: keys and certificates, made anew, received on joining, or read back. */
import {
  type CryptoSuite,
  type Curve,
  createSelfSigned,
  type KeyPair,
  type KeyWrapping,
  pemDecode,
  pemEncode,
  verifyEndorsement,
} from "@sealane/crypto";
import { base64, fromBase64, type JoinedNetwork, type NetworkNode, type NodeId, seqno } from "@sealane/wire";
import {
  endorseNode,
  newServiceKeys,
  nodeCurves,
  nodeIdOf,
  type ServiceKeys,
  serviceKeys,
  validity,
} from "../core/identity.js";
import type { EncryptionKey, KeptSecret } from "../core/rotating-secrets.js";
import type { TlsIdentity } from "./api-server.js";
import type { PrivateFile } from "./data-dir.js";
import { NodeError } from "./errors.js";

/** Days that a certificate of the node's own making holds; it serves TLS until the service endorses one. */
const SELF_SIGNED_DAYS = 365;
const LEDGER_SECRET_BYTES = 32;

export interface NodeKeys {
  readonly id: NodeId;
  readonly keyPair: KeyPair;
  readonly encryption: EncryptionKey;
}

export interface Membership {
  readonly service: ServiceKeys;
  /** This node's certificate, endorsed by the service, DER. */
  readonly certificate: Uint8Array;
  readonly ledgerSecrets: readonly KeptSecret[];
  /** The nodes it was told of. */
  readonly nodes: readonly NetworkNode[];
  /** The certificates, DER, of identities that the service had while this node was in it, before it recovered it. */
  readonly formerServices?: readonly Uint8Array[];
}

/** @param curve - That of the service it is for. */
export function newNodeKeys(suite: CryptoSuite, wrapping: KeyWrapping, curve: Curve): NodeKeys {
  const keyPair = suite.generateKeyPair(curve);
  const encryption = { wrapping, ...wrapping.generateKeyPair() };
  return { id: nodeIdOf(suite, keyPair.publicKey), keyPair, encryption };
}

/** The membership of the first node of a new service, whose key is on the same curve as the node's. */
export function foundService(suite: CryptoSuite, node: NodeKeys, apiHost: string, nowMs: number): Membership {
  const publicKey = node.keyPair.publicKey;
  const service = newServiceKeys(suite, nowMs, { curve: publicKey.curve });
  return {
    service,
    certificate: endorseNode(suite, service, { id: node.id, publicKey, hosts: [apiHost] }, nowMs),
    ledgerSecrets: [{ from: seqno(1), key: suite.randomBytes(LEDGER_SECRET_BYTES) }],
    nodes: [],
  };
}

/** The membership of a node that goes on alone with the service it was a member of, under a new identity. */
export function recoverService(
  suite: CryptoSuite,
  node: NodeKeys,
  before: Membership,
  apiHost: string,
  nowMs: number,
): Membership {
  const formerServices = [...(before.formerServices ?? []), before.service.certificate];
  const { curve } = before.service.keyPair.publicKey;
  const service = newServiceKeys(suite, nowMs, { curve, former: formerServices.length });
  const publicKey = node.keyPair.publicKey;
  const certificate = endorseNode(suite, service, { id: node.id, publicKey, hosts: [apiHost] }, nowMs);
  return { service, certificate, ledgerSecrets: before.ledgerSecrets, nodes: [], formerServices };
}

/**
 * Takes what the service answered a joiner, after checking that it fits: the pinned service, its key, and this node's own key.
 * @throws NodeError `wrong-service`.
 */
export function acceptMembership(
  suite: CryptoSuite,
  node: NodeKeys,
  pinned: Uint8Array,
  network: JoinedNetwork,
): Membership {
  try {
    const service = suite.importPrivateKey(pemDecode("PRIVATE KEY", network.servicePrivateKey));
    const certificate = pemDecode("CERTIFICATE", network.endorsedCertificate);
    const curves = nodeCurves(service.publicKey.curve);
    const endorsed = verifyEndorsement(suite, certificate, pinned, { curves });
    if (!suite.equal(endorsed.publicKey.spki, node.keyPair.publicKey.spki))
      throw new Error("another node's certificate");
    const keys = serviceKeys(suite, service, pinned);
    const own = endorseNode(suite, keys, { id: node.id, publicKey: node.keyPair.publicKey, hosts: [] }, 0);
    verifyEndorsement(suite, own, pinned, { curves }); // holds only if the private key is that of the pinned certificate
    return { service: keys, certificate, ledgerSecrets: network.ledgerSecrets.map(decodeSecret), nodes: network.nodes };
  } catch {
    throw new NodeError(
      "wrong-service",
      "The service answered with keys that do not fit its certificate; nothing was kept.",
    ); // no cause: it may quote a key
  }
}

export function privateFile(suite: CryptoSuite, node: NodeKeys, membership?: Membership): PrivateFile {
  const own = {
    version: 1 as const,
    nodeKey: privatePem(suite, node.keyPair),
    encryptionKey: pemEncode("PRIVATE KEY", node.encryption.privateKey),
    encryptionPublicKey: node.encryption.publicKey,
  };
  if (membership === undefined) return own;
  const { service, ledgerSecrets } = membership;
  return {
    ...own,
    serviceKey: privatePem(suite, service.keyPair),
    ledgerSecrets: ledgerSecrets.map(({ key, ...secret }) => ({ ...secret, key: base64(key) })),
  };
}

/** Reads keys back. The membership is undefined for a node that was not trusted yet when it stopped. */
export function readKeys(
  suite: CryptoSuite,
  wrapping: KeyWrapping,
  file: PrivateFile,
  known: {
    readonly serviceCertificate: string;
    readonly certificate?: string | undefined;
    readonly formerServices?: readonly string[] | undefined;
    readonly nodes: readonly NetworkNode[];
  },
): { readonly node: NodeKeys; readonly membership: Membership | undefined } {
  const keyPair = suite.importPrivateKey(pemDecode("PRIVATE KEY", file.nodeKey));
  const encryption = {
    wrapping,
    publicKey: file.encryptionPublicKey,
    privateKey: pemDecode("PRIVATE KEY", file.encryptionKey),
  };
  const node = { id: nodeIdOf(suite, keyPair.publicKey), keyPair, encryption };
  const { serviceKey, ledgerSecrets } = file;
  if (serviceKey === undefined || ledgerSecrets === undefined || known.certificate === undefined) {
    return { node, membership: undefined };
  }
  const service = suite.importPrivateKey(pemDecode("PRIVATE KEY", serviceKey));
  return {
    node,
    membership: {
      service: serviceKeys(suite, service, pemDecode("CERTIFICATE", known.serviceCertificate)),
      certificate: pemDecode("CERTIFICATE", known.certificate),
      ledgerSecrets: ledgerSecrets.map(decodeSecret),
      nodes: known.nodes,
      formerServices: (known.formerServices ?? []).map((pem) => pemDecode("CERTIFICATE", pem)),
    },
  };
}

/** What the node's TLS shows: its endorsed certificate, or before that one it made itself. */
export function tlsIdentity(
  suite: CryptoSuite,
  node: NodeKeys,
  certificate: Uint8Array | undefined,
  apiHost: string,
  nowMs: number,
): TlsIdentity {
  const own = (): Uint8Array =>
    createSelfSigned(suite, node.keyPair, { name: node.id, hosts: [apiHost], ...validity(nowMs, SELF_SIGNED_DAYS) });
  return { certificate: pemEncode("CERTIFICATE", certificate ?? own()), privateKey: privatePem(suite, node.keyPair) };
}

export function privatePem(suite: CryptoSuite, { privateKey }: KeyPair): string {
  return pemEncode("PRIVATE KEY", suite.exportPrivateKey(privateKey));
}

function decodeSecret({ key, ...secret }: Omit<KeptSecret, "key"> & { readonly key: string }): KeptSecret {
  return { ...secret, key: fromBase64(key) };
}
