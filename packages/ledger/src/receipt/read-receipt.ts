/**
 * The two forms of a receipt as text and bytes (ledger spec §9.1, §9.4), read strictly into one. What comes from outside is bounded before
 * anything is made of it: the whole by `RECEIPT_BYTES_MAX`, paths and chains by what can make sense.
 */
import { pemDecode } from "@sealane/crypto";
import { fromBase64, fromHex, fromUtf8, type TxId } from "@sealane/wire";
import { type CoseSign1, decodeCoseSign1, PROOF_STEPS_MAX } from "../cose/cose-sign1.js";
import type { ProofStep } from "../merkle-tree.js";
import { readTxId } from "../tx-id-text.js";
import { ReceiptError } from "./errors.js";

/** A receipt has some 2 to 8 KB; each endorsement adds one. */
export const RECEIPT_BYTES_MAX = 131_072;
/** One for each disaster recovery since. */
const ENDORSEMENTS_MAX = 32;
const DIGEST_BYTES = 32;
/** First byte of a COSE_Sign1: CBOR tag 18. */
const COSE_FIRST_BYTE = 0xd2;

/** The JSON form (§9.1), members in CCF's order. Digests are 64 hex digits. */
export interface JsonReceipt {
  /** Base64 of the DER ECDSA signature over the root. */
  readonly signature: string;
  readonly proof: readonly ({ readonly left: string } | { readonly right: string })[];
  readonly node_id: string;
  /** PEM. */
  readonly cert: string;
  readonly leaf_components?: {
    readonly write_set_digest: string;
    readonly commit_evidence: string;
    readonly claims_digest?: string;
  };
  /** Instead of `leaf_components`. */
  readonly leaf?: string;
  /** PEMs from the node's service identity to the present one. */
  readonly service_endorsements?: readonly string[];
  readonly is_signature_transaction?: boolean;
}

/** What both forms say. */
export interface Receipt {
  readonly leaf:
    | {
        readonly type: "components";
        readonly writeSetDigest: Uint8Array;
        readonly commitEvidence: string;
        readonly txId: TxId;
        readonly claimsDigest: Uint8Array | undefined;
      }
    | { readonly type: "digest"; readonly digest: Uint8Array };
  /** From the leaf upwards. */
  readonly path: readonly ProofStep[];
  readonly signature:
    | {
        readonly by: "node";
        /** DER. */
        readonly der: Uint8Array;
        readonly nodeId: string;
        /** DER: the node's own first, then what links it to the service. */
        readonly chain: readonly Uint8Array[];
      }
    | { readonly by: "service"; readonly cose: CoseSign1 };
}

/**
 * @param receipt - JSON as text or UTF-8, or COSE. Borrowed.
 * @throws {ReceiptError} `too-large`, `malformed`, `bad-evidence`, `bad-certificate`.
 */
export function readReceipt(receipt: Uint8Array | string): Receipt {
  if (receipt.length > RECEIPT_BYTES_MAX) {
    throw new ReceiptError("too-large", `a receipt has at most ${RECEIPT_BYTES_MAX} bytes`);
  }
  if (typeof receipt !== "string" && receipt[0] === COSE_FIRST_BYTE) return readCose(receipt);
  const value = refuseAs("malformed", "the receipt is neither JSON nor COSE", () =>
    JSON.parse(typeof receipt === "string" ? receipt : fromUtf8(receipt)),
  );
  return readJson(value);
}

function readCose(bytes: Uint8Array): Receipt {
  const cose = decodeCoseSign1(bytes);
  if (cose?.proof === undefined) throw malformed("it is not a COSE receipt in the one form there is");
  const { writeSetDigest, commitEvidence, claimsDigest, path } = cose.proof;
  if (path.length === 0) throw malformed("the path from a transaction to a root has at least one step");
  const txId = readEvidence(commitEvidence);
  return {
    leaf: { type: "components", writeSetDigest, commitEvidence, txId, claimsDigest },
    path,
    signature: { by: "service", cose },
  };
}

function readJson(value: unknown): Receipt {
  const fields = members(value, "the receipt", [
    ["signature", "proof", "node_id", "cert"],
    ["leaf_components", "leaf", "service_endorsements", "is_signature_transaction"],
  ]);
  const { leaf, leaf_components: components, is_signature_transaction: isSignature, service_endorsements } = fields;
  if ((leaf === undefined) === (components === undefined)) throw malformed("it has either a leaf or its components");
  const path = list(fields.proof, "proof", PROOF_STEPS_MAX).map(readStep);
  // §9.1: an empty path marks the receipt of a signature transaction. Nothing else is the root of a tree that was signed.
  if (path.length === 0 && leaf === undefined) throw malformed("the path from a transaction to a root has a step");
  if (isSignature !== undefined && isSignature !== (path.length === 0)) {
    throw malformed("is_signature_transaction contradicts the path");
  }
  const endorsements = service_endorsements === undefined ? [] : service_endorsements;
  const pems = [fields.cert, ...list(endorsements, "service_endorsements", ENDORSEMENTS_MAX)];
  return {
    leaf: components === undefined ? { type: "digest", digest: digest(leaf, "leaf") } : readComponents(components),
    path,
    signature: {
      by: "node",
      der: refuseAs("malformed", "signature is no base64 text", () => fromBase64(text(fields.signature, "signature"))),
      nodeId: text(fields.node_id, "node_id"),
      chain: pems.map((pem) => readPem(text(pem, "a certificate"))),
    },
  };
}

function readComponents(value: unknown): Receipt["leaf"] {
  const fields = members(value, "leaf_components", [["write_set_digest", "commit_evidence"], ["claims_digest"]]);
  const commitEvidence = text(fields.commit_evidence, "commit_evidence");
  return {
    type: "components",
    writeSetDigest: digest(fields.write_set_digest, "write_set_digest"),
    commitEvidence,
    txId: readEvidence(commitEvidence),
    claimsDigest: fields.claims_digest === undefined ? undefined : digest(fields.claims_digest, "claims_digest"),
  };
}

function readStep(value: unknown): ProofStep {
  const { left, right } = members(value, "a step", [[], ["left", "right"]]);
  if ((left === undefined) === (right === undefined)) throw malformed("a step has either left or right");
  return left === undefined ? { right: digest(right, "right") } : { left: digest(left, "left") };
}

/** §5. Nothing but a text of this form is evidence; no node or leaf of the tree is the hash of one. */
const EVIDENCE = /^ce:([0-9]+\.[0-9]+):[0-9a-f]{64}$/;

function readEvidence(evidence: string): TxId {
  const txId = readTxId(EVIDENCE.exec(evidence)?.[1] ?? "");
  if (txId === undefined) throw new ReceiptError("bad-evidence", "the commit evidence is not of the form of one");
  return txId;
}

/** Some older CCF releases stored the text with the NUL byte that ends it in memory. */
export function readPem(pem: string): Uint8Array {
  return refuseAs("bad-certificate", "a certificate is not in PEM", () =>
    pemDecode("CERTIFICATE", pem.endsWith("\0") ? pem.slice(0, -1) : pem),
  );
}

type Names = readonly string[];

function members(
  value: unknown,
  what: string,
  [required, optional]: readonly [Names, Names],
): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(`${what} is no object`);
  const fields: Readonly<Record<string, unknown>> = { ...value };
  for (const name of Object.keys(fields)) {
    if (!required.includes(name) && !optional.includes(name)) throw malformed(`${what} has a member too many`);
  }
  for (const name of required) if (fields[name] === undefined) throw malformed(`${what} has no ${name}`);
  return fields;
}

function list(value: unknown, what: string, lengthMax: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > lengthMax) throw malformed(`${what} is no list of at most ${lengthMax}`);
  return value;
}

function text(value: unknown, what: string): string {
  if (typeof value !== "string") throw malformed(`${what} is no text`);
  return value;
}

function digest(value: unknown, what: string): Uint8Array {
  const bytes = refuseAs("malformed", `${what} is not hex`, () => fromHex(text(value, what)));
  if (bytes.length !== DIGEST_BYTES) throw malformed(`${what} is no digest`);
  return bytes;
}

function malformed(message: string): ReceiptError {
  return new ReceiptError("malformed", `the receipt cannot be read: ${message}`);
}

function refuseAs<T>(code: "malformed" | "bad-certificate", message: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof ReceiptError) throw cause;
    throw new ReceiptError(code, message); // the decoders throw on bad text only
  }
}
