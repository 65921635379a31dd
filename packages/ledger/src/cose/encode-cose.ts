/** Writing what `cose-sign1.ts` reads, in the same order of members (ledger spec §7.3, §9.4). */
import { utf8 } from "@sealane/wire";
import { encode, Tagged } from "cborg";
import { writeTxId } from "../tx-id-text.js";
import {
  ALGORITHM_LABEL,
  CCF_LABEL,
  COSE_SIGN1_TAG,
  type CoseHeader,
  type CoseProof,
  type CoseSign1,
  CWT_CLAIMS_LABEL,
  INCLUSION_PROOFS,
  ISSUED_AT,
  ISSUER,
  KEY_ID_LABEL,
  PROOF_LEAF,
  PROOF_PATH,
  PROOFS_LABEL,
  SUBJECT,
  TX_ID,
  VDS_CCF,
  VDS_LABEL,
} from "./cose-sign1.js";

export function encodeCoseHeader({ algorithm, keyId, issuedAt, issuer, subject, txId }: CoseHeader): Uint8Array {
  const claims: Members = [
    [ISSUED_AT, issuedAt],
    [ISSUER, issuer],
    [SUBJECT, subject],
  ];
  const members: Members = [
    [ALGORITHM_LABEL, algorithm],
    [KEY_ID_LABEL, utf8(keyId)],
    [VDS_LABEL, VDS_CCF],
    [CWT_CLAIMS_LABEL, new Map(claims)],
    [CCF_LABEL, new Map([[TX_ID, writeTxId(txId)]])],
  ];
  return encodeCbor(new Map(members));
}

/** A COSE_Sign1 without proof for a signature entry, with one as a receipt. */
export function encodeCoseSign1({ protectedBytes, signature, proof }: Omit<CoseSign1, "header">): Uint8Array {
  const unprotected: Members =
    proof === undefined ? [] : [[PROOFS_LABEL, new Map([[INCLUSION_PROOFS, [encodeProof(proof)]]])]];
  return encodeCbor(new Tagged(COSE_SIGN1_TAG, [protectedBytes, new Map(unprotected), null, signature]));
}

function encodeProof({ writeSetDigest, commitEvidence, claimsDigest, path }: CoseProof): Uint8Array {
  const members: Members = [
    [PROOF_LEAF, [writeSetDigest, commitEvidence, claimsDigest]],
    [PROOF_PATH, path.map((step) => ("left" in step ? [true, step.left] : [false, step.right]))],
  ];
  return encodeCbor(new Map(members));
}

type Members = (readonly [number | string, unknown])[];

/** Shortest heads; members in the order of the `Map`, where the library would sort them. */
function encodeCbor(value: unknown): Uint8Array {
  return new Uint8Array(encode(value, { mapSorter: () => 0 })); // in Node the library gives a Buffer, out of a shared pool
}
