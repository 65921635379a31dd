/**
 * Whether a receipt holds (ledger spec §9.3), by itself: no ledger, no node, no clock. The one thing to trust is the service certificate.
 *
 * What an attacker could try. Pass an inner node of the tree off as a transaction: the evidence digest would have to be the hash of a text,
 * but inner nodes hash digests. Show a path of a transaction that was rolled back: its evidence text needs the ledger secret, which the
 * service reveals for committed transactions only. Take a signature of another service, or let a node's key sign certificates: the chain
 * ends at the given service, each link is an authority, and the node's own certificate is none. Mark an inner node as the leaf of a type 0
 * entry: that can be done, which is why such a receipt proves its leaf and no more (see `ReceiptFacts`).
 */
import { concatBytes, equalBytes, hex, utf8 } from "@sealane/wire";
import { COSE_ALGORITHMS, type CoseSign1, coseSignedBytes } from "../cose/cose-sign1.js";
import { verifyDigest } from "./digest-ecdsa.js";
import { ReceiptError, type ReceiptErrorCode } from "./errors.js";
import type { ReceiptFacts, ReceiptStep } from "./facts.js";
import { type Receipt, readPem, readReceipt } from "./read-receipt.js";
import type { ReceiptCrypto } from "./receipt-crypto.js";
import { isSignedBy, type ReceiptCertificate, readCertificate, readSignature } from "./x509.js";

export interface VerifyReceiptOptions {
  readonly crypto: ReceiptCrypto;
  /** PEM of the service identity. Get it by a way you trust: everything rests on it. */
  readonly serviceCertificate: string;
  /** What the application is said to have claimed; its SHA-256 must be the transaction's claims digest. */
  readonly claims?: Uint8Array;
}

/**
 * Verifies a receipt of either form.
 * @param receipt - JSON as text or as UTF-8, or COSE; at most `RECEIPT_BYTES_MAX`.
 * @returns What is proved, and the steps to it.
 * @throws {ReceiptError} in every other case, with the steps made so far.
 * @example
 * const { transactionId, claimsDigest } = await verifyReceipt(text, { crypto: webCrypto(crypto.subtle), serviceCertificate });
 */
export async function verifyReceipt(
  receipt: Uint8Array | string,
  options: VerifyReceiptOptions,
): Promise<ReceiptFacts> {
  const service = readService(options.serviceCertificate);
  return new Verification(options.crypto, service).run(readReceipt(receipt), options.claims);
}

function readService(pem: string): ReceiptCertificate {
  let service: ReceiptCertificate | undefined;
  try {
    service = readCertificate(readPem(pem));
  } catch (error) {
    if (!(error instanceof ReceiptError)) throw error;
  }
  if (service?.isAuthority !== true) {
    throw new ReceiptError(
      "bad-service-certificate",
      "the service certificate is no certificate that may endorse nodes",
    );
  }
  return service;
}

class Verification {
  readonly #crypto: ReceiptCrypto;
  readonly #service: ReceiptCertificate;
  readonly #steps: ReceiptStep[] = [];

  constructor(crypto: ReceiptCrypto, service: ReceiptCertificate) {
    this.#crypto = crypto;
    this.#service = service;
  }

  async run({ leaf: given, path, signature }: Receipt, claims: Uint8Array | undefined): Promise<ReceiptFacts> {
    const { leaf, ...transaction } = await this.#leaf(given, claims);
    const { root, preimage } = await this.#fold(leaf, path);
    const serviceId = await this.#keyId(this.#service);
    const common = { ...transaction, leaf, root, serviceId, steps: this.#steps };
    if (signature.by === "node") {
      await this.#checkNode(signature, root, preimage, serviceId);
      return { form: "json", ...common, nodeId: signature.nodeId };
    }
    await this.#checkService(signature.cose, root, serviceId);
    const { txId, issuer, subject, issuedAt } = signature.cose.header;
    if (given.type === "components" && (txId.seqno <= given.txId.seqno || txId.view < given.txId.view)) {
      throw this.#refuse("out-of-order", "the signature does not come after the transaction");
    }
    return { form: "cose", ...common, signature: { txId, issuer, subject, issuedAt } };
  }

  /** §9.3 steps 1 and 2. */
  async #leaf(
    given: Receipt["leaf"],
    claims: Uint8Array | undefined,
  ): Promise<Pick<ReceiptFacts, "leaf" | "transactionId" | "writeSetDigest" | "claimsDigest">> {
    if (given.type === "digest") {
      if (claims !== undefined) throw this.#refuse("claims-mismatch", "this receipt proves no claims");
      return { leaf: given.digest };
    }
    const { writeSetDigest, commitEvidence, txId } = given;
    const evidenceDigest = await this.#crypto.sha256(utf8(commitEvidence));
    this.#steps.push({ type: "evidence", text: commitEvidence, digest: evidenceDigest });
    const revealed = claims === undefined ? undefined : await this.#crypto.sha256(claims);
    const claimsDigest = given.claimsDigest ?? revealed;
    if (claimsDigest !== undefined) this.#steps.push({ type: "claims", digest: claimsDigest });
    if (revealed !== undefined && claimsDigest !== undefined && !equalBytes(revealed, claimsDigest)) {
      throw this.#refuse("claims-mismatch", "the transaction has other claims");
    }
    const parts = [writeSetDigest, evidenceDigest, ...(claimsDigest === undefined ? [] : [claimsDigest])];
    const leaf = await this.#crypto.sha256(concatBytes(...parts));
    this.#steps.push({ type: "leaf", digest: leaf });
    return { leaf, transactionId: txId, writeSetDigest, ...(claimsDigest === undefined ? {} : { claimsDigest }) };
  }

  /** §9.3 step 3. `preimage`: the root's two children. */
  async #fold(
    leaf: Uint8Array,
    path: Receipt["path"],
  ): Promise<{ root: Uint8Array; preimage: Uint8Array | undefined }> {
    let node = leaf;
    let preimage: Uint8Array | undefined;
    for (const step of path) {
      const [left, right] = "left" in step ? [step.left, node] : [node, step.right];
      preimage = concatBytes(left, right);
      node = await this.#crypto.sha256(preimage);
      this.#steps.push({ type: "fold", side: "left" in step ? "left" : "right", left, right, node });
    }
    return { root: node, preimage };
  }

  /** §9.3 steps 4 and 5. */
  async #checkNode(
    { der, nodeId, chain }: Extract<Receipt["signature"], { by: "node" }>,
    root: Uint8Array,
    preimage: Uint8Array | undefined,
    serviceId: string,
  ): Promise<void> {
    const certificates = chain.map((certificate, index) => {
      const read = readCertificate(certificate);
      if (read === undefined || !(index === 0 ? read.isEndEntity : read.isAuthority)) {
        throw this.#refuse("bad-certificate", "a certificate in the receipt cannot be read or used");
      }
      return read;
    });
    const [node] = certificates;
    if (node === undefined) throw this.#refuse("bad-certificate", "there is no certificate");
    let keyId = await this.#keyId(node);
    if (keyId !== nodeId) throw this.#refuse("node-id-mismatch", "the node id is not that of the certificate's key");
    const signature = readSignature(der, node.key);
    if (signature === undefined || !(await this.#verifyRoot(node, root, preimage, signature))) {
      throw this.#refuse("bad-signature", "the signature of the node does not verify");
    }
    this.#steps.push({ type: "signature", by: "node", root, keyId });
    for (const [index, certificate] of certificates.entries()) {
      const issuer = certificates[index + 1] ?? this.#service;
      if (!(await isSignedBy(this.#crypto, certificate, issuer))) {
        throw this.#refuse("not-endorsed", "the service that was given did not endorse this node");
      }
      const issuerKeyId = issuer === this.#service ? serviceId : await this.#keyId(issuer);
      this.#steps.push({ type: "endorsement", keyId, issuerKeyId });
      keyId = issuerKeyId;
    }
  }

  /** §7.2: the root is signed as the digest itself. Where its children are known, SHA-256 over them is just that. */
  async #verifyRoot(
    { key }: ReceiptCertificate,
    root: Uint8Array,
    preimage: Uint8Array | undefined,
    signature: Uint8Array,
  ): Promise<boolean> {
    if (preimage === undefined) return verifyDigest(key, root, signature);
    return this.#crypto.verify(key, "SHA-256", preimage, signature);
  }

  /** §9.4. */
  async #checkService(cose: CoseSign1, root: Uint8Array, serviceId: string): Promise<void> {
    const { header, signature } = cose;
    const { key } = this.#service;
    if (header.keyId !== serviceId || header.algorithm !== COSE_ALGORITHMS[key.curve]) {
      throw this.#refuse("other-service", "the receipt is of another service than the one given");
    }
    if (!(await this.#crypto.verify(key, key.hash, coseSignedBytes(cose, root), signature))) {
      throw this.#refuse("bad-signature", "the signature of the service does not verify");
    }
    this.#steps.push({ type: "signature", by: "service", root, keyId: serviceId });
  }

  async #keyId({ key }: ReceiptCertificate): Promise<string> {
    return hex(await this.#crypto.sha256(key.spki));
  }

  #refuse(code: ReceiptErrorCode, message: string): ReceiptError {
    return new ReceiptError(code, message, this.#steps);
  }
}
