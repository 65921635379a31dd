/** Whether a signature entry holds, in both forms (ledger spec §7.2, §7.3, §8): the one check that both replication and the offline verifier make. */
import {
  CertificateError,
  CryptoError,
  type CryptoSuite,
  EndorsementCache,
  type PublicKey,
  parseCertificate,
  pemDecode,
  signatureFromDer,
  spkiHash,
} from "@sealane/crypto";
import { equalBytes, type NodeId, type Seqno, type View } from "@sealane/wire";
import { COSE_ALGORITHMS, type CoseSign1, coseSignedBytes } from "./cose/cose-sign1.js";
import { LedgerError } from "./errors.js";
import { MerkleTree } from "./merkle-tree.js";
import type { SignatureRecord } from "./signature-record.js";

/** The PEM of a node's certificate as the ledger's own tables hold it, or `undefined` when the node is unknown. */
export type CertificateLookup = (node: NodeId) => string | undefined;

/** The PEM of the service identity in force, or `undefined` when none is known. */
export type ServiceLookup = () => string | undefined;

/** Certificates parsed and kept. More than a service's nodes over some renewals; beyond it the oldest is parsed again. */
const KEYS_MAX = 64;

export class SignatureChecker {
  readonly #suite: CryptoSuite;
  readonly #keys = new Map<string, { readonly key: PublicKey; readonly id: string; readonly der: Uint8Array }>();
  /** Who endorsed whom, as far as it was checked. */
  readonly endorsements = new EndorsementCache();

  constructor(suite: CryptoSuite) {
    this.#suite = suite;
  }

  /**
   * Checks the signature that stands in the transaction `at`.
   * @param tree - Leaves 0 … at.seqno − 1, nothing behind them. Unchanged.
   * @param certificateOf - The node certificates before that transaction.
   * @param serviceCertificate - The service identity before that transaction; asked only if the entry has the COSE form.
   * @throws {LedgerError} `bad-seqno`, `bad-view`, `root-mismatch`, `bad-tree`, `unknown-node`, `bad-certificate`, `bad-node-id`,
   * `bad-signature`; for the COSE form also `no-service`, `bad-kid`, `bad-cose-signature`.
   */
  check(
    record: SignatureRecord,
    at: { readonly seqno: Seqno; readonly view: View },
    tree: MerkleTree,
    certificateOf: CertificateLookup,
    serviceCertificate: ServiceLookup,
  ): void {
    const root = this.checkRoot(record, at, tree);
    const certificate = certificateOf(record.node);
    if (certificate === undefined) throw new LedgerError("unknown-node", `node ${record.node} has no certificate here`);
    const { key, id } = this.keyOf(certificate);
    if (id !== record.node)
      throw new LedgerError("bad-node-id", `node ${record.node} has a certificate of another key`);
    if (record.cert !== undefined && this.keyOf(record.cert).id !== id) {
      throw new LedgerError("bad-certificate", "the certificate in the signature has another key than the node's");
    }
    // §7.2: the root is SHA-256 of these 64 bytes, so ECDSA-SHA256 over them is ECDSA over the root as digest.
    if (!this.#suite.verify(key, tree.rootPreimage(), this.#rawSignature(record.sig, key), "SHA-256")) {
      throw new LedgerError("bad-signature", `the signature at ${at.seqno} does not verify`);
    }
    if (record.cose !== undefined) this.#checkCose(record.cose, at, root, serviceCertificate());
  }

  /**
   * Checks only that the record is of the transaction `at` and of this tree, not who made it.
   * @returns The root.
   * @throws {LedgerError} `bad-seqno`, `bad-view`, `root-mismatch`, `bad-tree`.
   */
  checkRoot(record: SignatureRecord, at: { readonly seqno: Seqno; readonly view: View }, tree: MerkleTree): Uint8Array {
    if (record.seqno !== at.seqno)
      throw new LedgerError("bad-seqno", `the signature names seqno ${record.seqno}, not ${at.seqno}`);
    if (record.view !== at.view)
      throw new LedgerError("bad-view", `the signature names view ${record.view}, not ${at.view}`);
    if (tree.size !== at.seqno || tree.size < 2)
      throw new LedgerError("bad-seqno", "a service's first transaction is no signature");
    const root = tree.root();
    if (!equalBytes(root, record.root))
      throw new LedgerError("root-mismatch", `the signature at ${at.seqno} signs another Merkle root`);
    this.#checkTree(record.tree, root, tree);
    return root;
  }

  /** §7.3, §8.1 step 4; the transaction id in the header is an addition to §8.3. */
  #checkCose(
    cose: CoseSign1,
    at: { readonly seqno: Seqno; readonly view: View },
    root: Uint8Array,
    service: string | undefined,
  ): void {
    const { header, signature } = cose;
    if (header.txId.seqno !== at.seqno)
      throw new LedgerError("bad-seqno", `the COSE signature names seqno ${header.txId.seqno}, not ${at.seqno}`);
    if (header.txId.view !== at.view)
      throw new LedgerError("bad-view", `the COSE signature names view ${header.txId.view}, not ${at.view}`);
    if (service === undefined)
      throw new LedgerError("no-service", `no service identity is known that could have signed at ${at.seqno}`);
    const { key, id } = this.keyOf(service);
    if (header.keyId !== id || header.algorithm !== COSE_ALGORITHMS[key.curve])
      throw new LedgerError("bad-kid", `the COSE signature at ${at.seqno} names another key than the service's`);
    if (!this.#suite.verify(key, coseSignedBytes(cose, root), signature))
      throw new LedgerError("bad-cose-signature", `the COSE signature at ${at.seqno} does not verify`);
  }

  /**
   * The key in a certificate, the node id it makes, and the certificate's DER.
   * @throws {LedgerError} `bad-certificate`.
   */
  keyOf(pem: string): { readonly key: PublicKey; readonly id: string; readonly der: Uint8Array } {
    const known = this.#keys.get(pem);
    if (known !== undefined) return known;
    try {
      const der = certificateDer(pem);
      const key = parseCertificate(this.#suite, der).publicKey;
      const parsed = { key, id: spkiHash(this.#suite, key.spki), der };
      const oldest = this.#keys.keys().next();
      if (this.#keys.size >= KEYS_MAX && !oldest.done) this.#keys.delete(oldest.value);
      this.#keys.set(pem, parsed);
      return parsed;
    } catch (cause) {
      if (!(cause instanceof CryptoError || cause instanceof CertificateError)) throw cause;
      throw new LedgerError("bad-certificate", "a certificate cannot be read", { cause });
    }
  }

  /** §6.4: the table must describe a tree of exactly these leaves. */
  #checkTree(serialised: Uint8Array, root: Uint8Array, tree: MerkleTree): void {
    const first =
      serialised.length < 16
        ? -1
        : Number(new DataView(serialised.buffer, serialised.byteOffset + 8, 8).getBigUint64(0));
    // What we still hold ourselves is compared, which costs no hash; other starts are hashed up.
    if (first >= tree.first && first < tree.size) {
      if (!equalBytes(tree.serialise(first), serialised))
        throw new LedgerError("bad-tree", "the serialised tree is not ours");
      return;
    }
    const other = MerkleTree.deserialise(this.#suite, serialised);
    if (other.size !== tree.size || !equalBytes(other.root(), root)) {
      throw new LedgerError("bad-tree", "the serialised tree does not give the signed root");
    }
  }

  #rawSignature(der: Uint8Array, { curve }: PublicKey): Uint8Array {
    try {
      return signatureFromDer(der, curve);
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause;
      throw new LedgerError("bad-signature", "the signature is no DER ECDSA signature", { cause });
    }
  }
}

/**
 * The DER of a certificate as the tables hold it. Some older CCF releases stored the text with the NUL byte that ends it in memory.
 * @throws {CryptoError} when it is no strict PEM.
 */
function certificateDer(pem: string): Uint8Array {
  return pemDecode("CERTIFICATE", pem.endsWith("\0") ? pem.slice(0, -1) : pem);
}
