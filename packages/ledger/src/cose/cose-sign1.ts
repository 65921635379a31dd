/**
 * The COSE form of a ledger signature (ledger spec §7.3) and of a receipt (§9.4):
 *
 *     18([ protected bstr, {} , nil, signature ])                       in a signature entry
 *     18([ protected bstr, { 396: { -1: [ proof bstr ] } }, nil, signature ])   as a receipt
 *     protected: { 1: alg, 4: kid, 395: 2, 15: { 6: issued at, 1: issuer, 2: subject }, "ccf.v1": { "txid": text } }
 *     proof:     { 1: [write set digest, commit evidence, claims digest], 2: [[is left, hash], …] }
 *
 * The payload is detached: it is the Merkle root. Signed by the service's key, not by a node's.
 */
import { equalBytes, fromUtf8, type TxId, utf8 } from "@sealane/wire";
import { Tagged } from "cborg";
import type { ProofStep } from "../merkle-tree.js";
import { readTxId, writeTxId } from "../tx-id-text.js";
import { COSE_SIGN1_TAG, decodeCbor, encodeCbor } from "./cbor.js";

/** RFC 9864 §2.1 and RFC 9053 §2.1. */
export const COSE_ALGORITHMS = { "P-384": -35, "P-256": -7 } as const;
/** What a verifiable data structure of CCF is registered as. */
const VDS_CCF = 2;
const VDS_LABEL = 395;
const PROOFS_LABEL = 396;
const INCLUSION_PROOFS = -1;
const CWT_CLAIMS_LABEL = 15;
const CCF_LABEL = "ccf.v1";

const DIGEST_BYTES = 32;
/** Raw r ‖ s. */
const SIGNATURE_BYTES = { [-35]: 96, [-7]: 64 } as const;
/** §6: a seqno below 2^53 has at most this many levels above its leaf. */
export const PROOF_STEPS_MAX = 53;

/** What the protected header says. */
export interface CoseHeader {
  readonly algorithm: -35 | -7;
  /** Hex SHA-256 of the service key's SPKI; in the header as its 64 ASCII digits (§14.5). */
  readonly keyId: string;
  /** Unix time in seconds. */
  readonly issuedAt: number;
  readonly issuer: string;
  readonly subject: string;
  /** Of the signature transaction. */
  readonly txId: TxId;
}

export interface CoseProof {
  /** 32 bytes. */
  readonly writeSetDigest: Uint8Array;
  readonly commitEvidence: string;
  /** 32 bytes. */
  readonly claimsDigest: Uint8Array;
  /** From the leaf upwards. */
  readonly path: readonly ProofStep[];
}

export interface CoseSign1 {
  readonly header: CoseHeader;
  /** Raw r ‖ s: 96 bytes for ES384, 64 for ES256. */
  readonly signature: Uint8Array;
  /** Present in a receipt only. */
  readonly proof?: CoseProof;
}

export function encodeCoseSign1({ header, signature, proof }: CoseSign1): Uint8Array {
  const proofs =
    proof === undefined ? [] : [[PROOFS_LABEL, new Map([[INCLUSION_PROOFS, [encodeProof(proof)]]])] as const];
  return encodeCbor(new Tagged(COSE_SIGN1_TAG, [encodeHeader(header), new Map(proofs), null, signature]));
}

/** @returns `undefined` for bytes that are not exactly what `encodeCoseSign1` writes. Never throws. */
export function decodeCoseSign1(bytes: Uint8Array): CoseSign1 | undefined {
  const item = decodeCbor(bytes);
  if (!(item instanceof Tagged) || !Array.isArray(item.value)) return undefined;
  const [protectedBytes, unprotected, , signature]: readonly unknown[] = item.value;
  if (!(protectedBytes instanceof Uint8Array && unprotected instanceof Map && signature instanceof Uint8Array)) {
    return undefined;
  }
  const header = readHeader(protectedBytes);
  if (header === undefined || signature.length !== SIGNATURE_BYTES[header.algorithm]) return undefined;
  const proof = unprotected.size === 0 ? undefined : readProof(unprotected);
  if (unprotected.size > 0 && proof === undefined) return undefined;
  const sign1 = { header, signature, ...(proof === undefined ? {} : { proof }) };
  // One spelling: refuses other orders, labels, payloads, counts and forms of numbers all at once.
  return equalBytes(encodeCoseSign1(sign1), bytes) ? sign1 : undefined;
}

/** RFC 9052 §4.4: what is signed. @param root - 32 bytes, the detached payload. */
export function coseSignedBytes(header: CoseHeader, root: Uint8Array): Uint8Array {
  return encodeCbor(["Signature1", encodeHeader(header), new Uint8Array(0), root]);
}

function encodeHeader({ algorithm, keyId, issuedAt, issuer, subject, txId }: CoseHeader): Uint8Array {
  const claims = new Map<number, unknown>([
    [6, issuedAt],
    [1, issuer],
    [2, subject],
  ]);
  return encodeCbor(
    new Map<number | string, unknown>([
      [1, algorithm],
      [4, utf8(keyId)],
      [VDS_LABEL, VDS_CCF],
      [CWT_CLAIMS_LABEL, claims],
      [CCF_LABEL, new Map([["txid", writeTxId(txId)]])],
    ]),
  );
}

function readHeader(bytes: Uint8Array): CoseHeader | undefined {
  const header = fieldsOf(decodeCbor(bytes));
  const claims = fieldsOf(header.get(CWT_CLAIMS_LABEL));
  const algorithm = header.get(1);
  const kid = header.get(4);
  const [issuedAt, issuer, subject] = [claims.get(6), claims.get(1), claims.get(2)];
  const txIdText = fieldsOf(header.get(CCF_LABEL)).get("txid");
  const txId = typeof txIdText === "string" ? readTxId(txIdText) : undefined;
  const keyId = kid instanceof Uint8Array ? readKeyId(kid) : undefined;
  if (algorithm !== COSE_ALGORITHMS["P-384"] && algorithm !== COSE_ALGORITHMS["P-256"]) return undefined;
  if (keyId === undefined || txId === undefined || typeof issuer !== "string" || typeof subject !== "string")
    return undefined;
  if (typeof issuedAt !== "number" || !Number.isSafeInteger(issuedAt) || issuedAt < 0) return undefined;
  return { algorithm, keyId, issuedAt, issuer, subject, txId };
}

function readKeyId(bytes: Uint8Array): string | undefined {
  if (bytes.length !== 2 * DIGEST_BYTES || bytes.some((byte) => byte > 0x7f)) return undefined;
  const text = fromUtf8(bytes);
  return /^[0-9a-f]*$/.test(text) ? text : undefined;
}

function encodeProof({ writeSetDigest, commitEvidence, claimsDigest, path }: CoseProof): Uint8Array {
  const steps = path.map((step) => ("left" in step ? [true, step.left] : [false, step.right]));
  return encodeCbor(
    new Map<number, unknown>([
      [1, [writeSetDigest, commitEvidence, claimsDigest]],
      [2, steps],
    ]),
  );
}

function readProof(unprotected: ReadonlyMap<unknown, unknown>): CoseProof | undefined {
  const proofs = fieldsOf(unprotected.get(PROOFS_LABEL)).get(INCLUSION_PROOFS);
  const [bytes] = itemsOf(proofs);
  if (!(bytes instanceof Uint8Array)) return undefined;
  const proof = fieldsOf(decodeCbor(bytes));
  const [writeSetDigest, commitEvidence, claimsDigest] = itemsOf(proof.get(1));
  const steps = itemsOf(proof.get(2));
  if (!isDigest(writeSetDigest) || typeof commitEvidence !== "string" || !isDigest(claimsDigest)) return undefined;
  if (steps.length > PROOF_STEPS_MAX) return undefined;
  const path: ProofStep[] = [];
  for (const step of steps) {
    const [isLeft, hash] = itemsOf(step);
    if (typeof isLeft !== "boolean" || !isDigest(hash)) return undefined;
    path.push(isLeft ? { left: hash } : { right: hash });
  }
  return { writeSetDigest, commitEvidence, claimsDigest, path };
}

function isDigest(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === DIGEST_BYTES;
}

const NO_FIELDS: ReadonlyMap<unknown, unknown> = new Map();

function fieldsOf(value: unknown): ReadonlyMap<unknown, unknown> {
  return value instanceof Map ? value : NO_FIELDS;
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
