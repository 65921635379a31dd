/**
 * The COSE form of a ledger signature (ledger spec §7.3) and of a receipt (§9.4), read in the one order of members that CCF writes:
 *
 *     18([ protected bstr, {}, nil, signature bstr ])                                 in a signature entry
 *     18([ protected bstr, { 396: { -1: [ proof bstr ] } }, nil, signature bstr ])    as a receipt
 *     protected: { 1: alg, 4: kid, 395: 2, 15: { 6: issued at, 1: issuer, 2: subject }, "ccf.v1": { "txid": text } }
 *     proof:     { 1: [ write set digest, commit evidence, claims digest ], 2: [ [ is left, hash ], … ] }
 *
 * The payload is detached: it is the Merkle root. Signed by the service's key, not by a node's. Reading in a fixed order leaves each value
 * one spelling, and keeps the library that writes this (`encode-cose.ts`) out of the receipt verifier.
 */
import { concatBytes, fromUtf8, type TxId, utf8 } from "@sealane/wire";
import type { ProofStep } from "../merkle-tree.js";
import { readTxId } from "../tx-id-text.js";
import { CborError, CborReader } from "./cbor-reader.js";

export const COSE_SIGN1_TAG = 18;
/** ES384 (−35) and ES256 (−7): RFC 9053 §2.1. */
export const COSE_ALGORITHMS = { "P-384": -35, "P-256": -7 } as const;
export const ALGORITHM_LABEL = 1;
export const KEY_ID_LABEL = 4;
/** The kind of verifiable data structure: 2 is CCF's. */
export const VDS_LABEL = 395;
export const VDS_CCF = 2;
export const CWT_CLAIMS_LABEL = 15;
export const ISSUED_AT = 6;
export const ISSUER = 1;
export const SUBJECT = 2;
export const CCF_LABEL = "ccf.v1";
export const TX_ID = "txid";
export const PROOFS_LABEL = 396;
export const INCLUSION_PROOFS = -1;
export const PROOF_LEAF = 1;
export const PROOF_PATH = 2;

const DIGEST_BYTES = 32;
const KEY_ID = /^[0-9a-f]{64}$/;
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
  /** The header as it is signed. */
  readonly protectedBytes: Uint8Array;
  /** Raw r ‖ s: 96 bytes for ES384, 64 for ES256. */
  readonly signature: Uint8Array;
  /** Present in a receipt only. */
  readonly proof?: CoseProof;
}

/**
 * @param bytes - Borrowed: the result has views of it.
 * @returns `undefined` unless the bytes are exactly one of the two forms. Never throws.
 */
export function decodeCoseSign1(bytes: Uint8Array): CoseSign1 | undefined {
  try {
    return readSign1(bytes);
  } catch (error) {
    if (error instanceof CborError) return undefined;
    throw error;
  }
}

/**
 * RFC 9052 §4.4: what is signed, `["Signature1", protected, h'', root]`. @param root - 32 bytes.
 */
export function coseSignedBytes({ protectedBytes }: Pick<CoseSign1, "protectedBytes">, root: Uint8Array): Uint8Array {
  const context = utf8("Signature1");
  const array = Uint8Array.of(0x84, 0x60 + context.length);
  return concatBytes(array, context, ...byteString(protectedBytes), Uint8Array.of(0x40), ...byteString(root));
}

/** RFC 8949 §3.1, for up to 65,535 bytes: more than `readSign1` lets through. */
function byteString(bytes: Uint8Array): [head: Uint8Array, bytes: Uint8Array] {
  const { length } = bytes;
  const head = length < 24 ? [0x40 + length] : length < 0x100 ? [0x58, length] : [0x59, length >> 8, length & 0xff];
  return [Uint8Array.from(head), bytes];
}

function readSign1(bytes: Uint8Array): CoseSign1 {
  if (bytes.length > 0xffff) throw new CborError("too large");
  const reader = new CborReader(bytes);
  reader.expect("tag", COSE_SIGN1_TAG);
  reader.expect("array", 4);
  const protectedBytes = reader.bytes();
  const header = readHeader(protectedBytes);
  const proof = reader.skipEmptyMap() ? undefined : readProofs(reader);
  reader.null();
  const signature = reader.bytes(header.algorithm === COSE_ALGORITHMS["P-384"] ? 96 : 64);
  reader.end();
  return { header, protectedBytes, signature, ...(proof === undefined ? {} : { proof }) };
}

function readHeader(bytes: Uint8Array): CoseHeader {
  const reader = new CborReader(bytes);
  reader.expect("map", 5);
  reader.expectItem(ALGORITHM_LABEL);
  const algorithm = reader.integer();
  if (algorithm !== COSE_ALGORITHMS["P-384"] && algorithm !== COSE_ALGORITHMS["P-256"])
    throw new CborError("algorithm");
  reader.expectItem(KEY_ID_LABEL);
  const keyId = asciiText(reader.bytes(2 * DIGEST_BYTES));
  if (!KEY_ID.test(keyId)) throw new CborError("kid");
  reader.expectItem(VDS_LABEL);
  reader.expectItem(VDS_CCF);
  reader.expectItem(CWT_CLAIMS_LABEL);
  reader.expect("map", 3);
  reader.expectItem(ISSUED_AT);
  const issuedAt = reader.integer();
  if (issuedAt < 0) throw new CborError("issued at");
  reader.expectItem(ISSUER);
  const issuer = reader.text();
  reader.expectItem(SUBJECT);
  const subject = reader.text();
  reader.expectItem(CCF_LABEL);
  reader.expect("map", 1);
  reader.expectItem(TX_ID);
  const txId = readTxId(reader.text());
  if (txId === undefined) throw new CborError("txid");
  reader.end();
  return { algorithm, keyId, issuedAt, issuer, subject, txId };
}

function readProofs(reader: CborReader): CoseProof {
  reader.expect("map", 1);
  reader.expectItem(PROOFS_LABEL);
  reader.expect("map", 1);
  reader.expectItem(INCLUSION_PROOFS);
  reader.expect("array", 1);
  return readProof(reader.bytes());
}

function readProof(bytes: Uint8Array): CoseProof {
  const reader = new CborReader(bytes);
  reader.expect("map", 2);
  reader.expectItem(PROOF_LEAF);
  reader.expect("array", 3);
  const writeSetDigest = reader.bytes(DIGEST_BYTES);
  const commitEvidence = reader.text();
  const claimsDigest = reader.bytes(DIGEST_BYTES);
  reader.expectItem(PROOF_PATH);
  const steps = reader.array();
  if (steps > PROOF_STEPS_MAX) throw new CborError("too many steps");
  const path: ProofStep[] = [];
  while (path.length < steps) {
    reader.expect("array", 2);
    const isLeft = reader.boolean();
    const hash = reader.bytes(DIGEST_BYTES);
    path.push(isLeft ? { left: hash } : { right: hash });
  }
  reader.end();
  return { writeSetDigest, commitEvidence, claimsDigest, path };
}

function asciiText(bytes: Uint8Array): string {
  return bytes.some((byte) => byte > 0x7f) ? "" : fromUtf8(bytes);
}
