/**
 * Receipts out of a ledger (ledger spec §9): for a transaction, from its entry and the first signature entry after it, whose serialised tree
 * holds every leaf since the signature before. So one transaction needs two entries, wherever they lie, and not the ledger.
 *
 * A receipt reveals the commit evidence, which stands for "committed". Nobody can take a receipt back, so one is made only for what is
 * known to be committed: up to the last chunk file named so, or as far as the caller says.
 */
import { type CryptoSuite, signatureFromDer } from "@sealane/crypto";
import { base64, equalBytes, fromUtf8, hex, type Seqno, type TxId, utf8 } from "@sealane/wire";
import { SignatureChecker } from "./check-signature.js";
import { entriesFrom, orderChunks } from "./chunk-walk.js";
import { encodeCoseSign1 } from "./cose/encode-cose.js";
import { type DecodedEntry, decodeEntry } from "./decode-entry.js";
import { LedgerError } from "./errors.js";
import { commitEvidence, type LedgerSecrets } from "./ledger-secrets.js";
import type { LedgerSource } from "./ledger-source.js";
import { MerkleTree, type ProofStep } from "./merkle-tree.js";
import type { JsonReceipt } from "./receipt/read-receipt.js";
import type { SignatureRecord } from "./signature-record.js";
import { ENDORSED_CERTIFICATES_TABLE, NODES_INFO_TABLE, parseNodeRecord } from "./trust-tables.js";
import { writeTxId } from "./tx-id-text.js";

export interface ReceiptOptions {
  readonly suite: CryptoSuite;
  /** Needed for the commit evidence: for every transaction but signatures and entries of type 0. */
  readonly secrets?: LedgerSecrets;
  /** What the application claimed in this transaction; refused unless its SHA-256 is the claims digest. */
  readonly claims?: Uint8Array;
  /** PEMs that lead from the service identity the signing node belonged to to the present one, if it is another (§9.1). */
  readonly serviceEndorsements?: readonly string[];
}

export interface SourceReceiptOptions extends ReceiptOptions {
  /** Up to where the service is known to have committed. Default: the last seqno of the chunk files named `.committed`. */
  readonly committed?: Seqno;
}

/** A receipt in each form there is of it. */
export interface BuiltReceipt {
  readonly transactionId: TxId;
  /** The signature transaction; the transaction itself if it is one. */
  readonly signatureTxId: TxId;
  /** 32 bytes each. */
  readonly leaf: Uint8Array;
  readonly root: Uint8Array;
  /** `JSON.stringify` gives CCF's text. */
  readonly json: JsonReceipt;
  /** §9.4. Only where the signature has the COSE form, for transactions with claims and commit evidence (type 4). */
  readonly cose?: Uint8Array;
}

/**
 * Builds the receipt of one transaction, reading on from its chunk to the next signature.
 * @throws {LedgerError} `not-found` (no such transaction, or another view), `not-committed`, `not-signed`, `no-secret`, `claims-mismatch`;
 * `root-mismatch`, `bad-tree`, `bad-signature`, `bad-certificate`, `unknown-node` and entry codes when the ledger is damaged there.
 * @example
 * const { json } = await buildReceipt(ledgerDirectory("data/ledger"), parseTxId("2.17"), { suite, secrets });
 */
export async function buildReceipt(
  source: LedgerSource,
  txId: TxId,
  options: SourceReceiptOptions,
): Promise<BuiltReceipt> {
  const { suite, secrets } = options;
  const committed = options.committed ?? (await lastCommitted(source));
  let entry: DecodedEntry | undefined;
  for await (const { seqno, bytes } of entriesFrom(source, txId.seqno)) {
    // The secrets are needed for this one entry. What lies between it and the signature is not looked into.
    const decoded = decodeEntry(suite, seqno === txId.seqno ? secrets : undefined, bytes.slice());
    if (decoded.seqno !== seqno)
      throw new LedgerError("bad-seqno", `entry ${decoded.seqno} stands where ${seqno} belongs`);
    if (seqno === txId.seqno && decoded.view === txId.view) entry = decoded;
    if (entry === undefined) break;
    if (entry.seqno > committed) {
      throw new LedgerError("not-committed", `transaction ${writeTxId(txId)} is not known to be committed`);
    }
    if (decoded.isSignature) {
      const pem = decoded.signature?.cert ?? (await findCertificate(source, decoded, suite));
      return receiptOf(entry, decoded, { ...options, ...(pem === undefined ? {} : { nodeCertificate: pem }) });
    }
  }
  if (entry === undefined)
    throw new LedgerError("not-found", `there is no transaction ${writeTxId(txId)} in this ledger`);
  throw new LedgerError("not-signed", `no signature comes after transaction ${writeTxId(txId)} yet`);
}

/**
 * The receipt of `entry`, which the caller knows to be committed.
 * @param entry - Decoded with the secrets, or an entry that needs none.
 * @param signatureEntry - The first signature entry after it, or the same one.
 * @param options.nodeCertificate - PEM of the signing node, where the signature entry does not hold it itself.
 * @throws {LedgerError} `not-signed` for a signature entry that does not cover the entry; otherwise as `buildReceipt`.
 */
export function receiptOf(
  entry: DecodedEntry,
  signatureEntry: DecodedEntry,
  options: ReceiptOptions & { readonly nodeCertificate?: string },
): BuiltReceipt {
  const { suite, nodeCertificate, serviceEndorsements = [] } = options;
  const { signature } = signatureEntry;
  if (signature === undefined || entry.seqno > signatureEntry.seqno) {
    throw new LedgerError("not-signed", `entry ${signatureEntry.seqno} is no signature over entry ${entry.seqno}`);
  }
  checkClaims(entry, options);
  const certificate = nodeCertificate ?? signature.cert;
  if (certificate === undefined)
    throw new LedgerError("unknown-node", `node ${signature.node} has no certificate here`);
  const tree = MerkleTree.deserialise(suite, signature.tree);
  checkSignature(suite, signature, certificate, tree);

  const isSelf = entry.seqno === signatureEntry.seqno;
  const path = isSelf ? [] : pathOf(tree, entry);
  const components = entry.isSignature ? undefined : componentsOf(entry, options);
  const { root, node, sig, cose } = signature;
  return {
    transactionId: { view: entry.view, seqno: entry.seqno },
    signatureTxId: { view: signatureEntry.view, seqno: signatureEntry.seqno },
    leaf: isSelf ? root : entry.leaf, // §9.1: of a signature transaction it is the root that it signed
    root,
    json: {
      signature: base64(sig),
      proof: path.map((step) => ("left" in step ? { left: hex(step.left) } : { right: hex(step.right) })),
      node_id: node,
      cert: certificate,
      ...(components === undefined
        ? { leaf: hex(isSelf ? root : entry.leaf) }
        : { leaf_components: jsonComponents(components) }),
      ...(serviceEndorsements.length === 0 ? {} : { service_endorsements: serviceEndorsements }),
    },
    ...(cose === undefined || components?.claimsDigest === undefined
      ? {}
      : { cose: encodeCoseSign1({ ...cose, proof: { ...components, claimsDigest: components.claimsDigest, path } }) }),
  };
}

interface Components {
  readonly writeSetDigest: Uint8Array;
  readonly commitEvidence: string;
  readonly claimsDigest: Uint8Array | undefined;
}

/** `undefined` where the leaf is the write set digest itself (§9.1). */
function componentsOf(entry: DecodedEntry, { suite, secrets }: ReceiptOptions): Components | undefined {
  const { commitEvidenceDigest, writeSetDigest, claimsDigest } = entry;
  if (commitEvidenceDigest === undefined) return undefined;
  if (secrets === undefined) {
    throw new LedgerError(
      "no-secret",
      "the commit evidence of this transaction can be made with the ledger secrets only",
    );
  }
  return { writeSetDigest, commitEvidence: commitEvidence(suite, secrets, entry), claimsDigest };
}

function jsonComponents({
  writeSetDigest,
  commitEvidence,
  claimsDigest,
}: Components): NonNullable<JsonReceipt["leaf_components"]> {
  return {
    write_set_digest: hex(writeSetDigest),
    commit_evidence: commitEvidence,
    ...(claimsDigest === undefined ? {} : { claims_digest: hex(claimsDigest) }),
  };
}

function checkClaims({ claimsDigest, isSignature }: DecodedEntry, { suite, claims }: ReceiptOptions): void {
  if (claims === undefined) return;
  if (isSignature || claimsDigest === undefined || !equalBytes(suite.sha256(claims), claimsDigest)) {
    throw new LedgerError("claims-mismatch", "the transaction has other claims, or none");
  }
}

/** Nobody is handed a receipt that does not verify. */
function checkSignature(suite: CryptoSuite, { root, sig, node }: SignatureRecord, pem: string, tree: MerkleTree): void {
  if (!equalBytes(tree.root(), root)) throw new LedgerError("root-mismatch", "the serialised tree has another root");
  const { key, id } = new SignatureChecker(suite).keyOf(pem);
  if (id !== node) throw new LedgerError("bad-node-id", `node ${node} has a certificate of another key`);
  let raw: Uint8Array | undefined;
  try {
    raw = signatureFromDer(sig, key.curve);
  } catch {
    raw = undefined; // it throws on bad bytes only
  }
  if (raw === undefined || !suite.verify(key, tree.rootPreimage(), raw, "SHA-256")) {
    throw new LedgerError("bad-signature", `the signature of node ${node} does not verify`);
  }
}

function pathOf(tree: MerkleTree, { seqno, leaf }: DecodedEntry): ProofStep[] {
  // §6.4: the included range always reaches back to the signature before.
  if (seqno < tree.first || seqno >= tree.size) {
    throw new LedgerError("bad-tree", `the serialised tree does not hold leaf ${seqno}`);
  }
  if (!equalBytes(tree.leaf(seqno), leaf)) throw new LedgerError("root-mismatch", `another leaf ${seqno} was signed`);
  return tree.path(seqno);
}

/** §1.4: a chunk gets its name once all of it is committed. */
async function lastCommitted(source: LedgerSource): Promise<number> {
  const last = orderChunks(await source.files()).findLast(({ committed }) => committed);
  return last?.last ?? 0;
}

/** The certificate the signing node had before its signature, for ledgers whose signatures do not repeat it. */
async function findCertificate(
  source: LedgerSource,
  { seqno: end, signature }: DecodedEntry,
  suite: CryptoSuite,
): Promise<string | undefined> {
  const node = utf8(signature?.node ?? "");
  let endorsed: string | undefined;
  let recorded: string | undefined;
  for await (const { seqno, bytes } of entriesFrom(source, 1)) {
    if (seqno >= end) break;
    for (const { name, writes } of decodeEntry(suite, undefined, bytes).publicMaps) {
      const [, value] = writes.find(([key]) => equalBytes(key, node)) ?? [];
      if (value === undefined) continue;
      if (name === ENDORSED_CERTIFICATES_TABLE) endorsed = fromUtf8(value);
      if (name === NODES_INFO_TABLE) recorded = parseNodeRecord(value).cert; // §8: only in CCF 1.x
    }
  }
  return endorsed ?? recorded;
}
