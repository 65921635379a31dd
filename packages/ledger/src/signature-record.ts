/** The tables of a signature entry, the JSON of the classic signature, and the frame of the COSE one (ledger spec §7, §7.1, §7.3). */
import {
  base64,
  equalBytes,
  fromBase64,
  fromHex,
  fromUtf8,
  hex,
  type NodeId,
  parseNodeId,
  type Seqno,
  seqno,
  utf8,
  VIEW_MAX,
  type View,
  view,
  type WriteSet,
} from "@sealane/wire";
import { type CoseSign1, decodeCoseSign1 } from "./cose/cose-sign1.js";
import { encodeCoseSign1 } from "./cose/encode-cose.js";
import { LedgerError } from "./errors.js";
import { DIGEST_BYTES } from "./limits.js";

export const SIGNATURES_TABLE = "public:ccf.internal.signatures";
export const TREE_TABLE = "public:ccf.internal.tree";
export const COSE_SIGNATURES_TABLE = "public:ccf.internal.cose_signatures";
const SIGNATURE_TABLES: ReadonlySet<string> = new Set([SIGNATURES_TABLE, TREE_TABLE, COSE_SIGNATURES_TABLE]);

/** §3.4: the key of a single-valued table. */
export const SINGLE_KEY = new Uint8Array(8);

/** Text is JSON of about 1.3 KB; certificates with many names may be longer. */
const SIGNATURE_JSON_BYTES_MAX = 65_536;
/** A COSE signature has some 300 bytes; issuer and subject may be longer. */
const COSE_JSON_BYTES_MAX = 16_384;
const NO_NONCE = "0".repeat(2 * DIGEST_BYTES);

/** What a signature entry says. */
export interface SignatureRecord {
  /** The node that signed. */
  readonly node: NodeId;
  /** Of the signature's own transaction. */
  readonly seqno: Seqno;
  readonly view: View;
  /** 32 bytes: the root over leaves 0 … seqno − 1. */
  readonly root: Uint8Array;
  /** ECDSA over the root as digest, DER. */
  readonly sig: Uint8Array;
  /** PEM of the node's endorsed certificate. */
  readonly cert?: string;
  /** The serialised tree (§6.4). */
  readonly tree: Uint8Array;
  /** The service's signature over the same root (§7.3). Older entries have none. */
  readonly cose?: CoseSign1;
}

/** Whether a write set touches a table that only signature entries may have. */
export function touchesSignatureTables(writeSet: WriteSet): boolean {
  return writeSet.some(({ name }) => SIGNATURE_TABLES.has(name));
}

/** The write set of a signature entry. */
export function signatureWriteSet(record: SignatureRecord): WriteSet {
  const { cose } = record;
  return [
    ...(cose === undefined
      ? []
      : [{ name: COSE_SIGNATURES_TABLE, writes: [[SINGLE_KEY, utf8(coseJson(cose))] as const], removes: [] }]),
    { name: SIGNATURES_TABLE, writes: [[SINGLE_KEY, utf8(signatureJson(record, NO_NONCE, 0, 0))]], removes: [] },
    { name: TREE_TABLE, writes: [[SINGLE_KEY, record.tree]], removes: [] },
  ];
}

/**
 * The signature of an entry, or `undefined` for an entry that is no signature.
 * @param publicMaps - Borrowed; `tree` of the result is a view of it.
 * @param privateBytes - Length of the entry's ciphertext, which must be 0 in a signature entry.
 * @throws {LedgerError} `malformed-signature` for an entry that has one of the three tables but is not as §7 says.
 */
export function readSignature(publicMaps: WriteSet, privateBytes: number): SignatureRecord | undefined {
  if (!touchesSignatureTables(publicMaps)) return undefined;
  const values = new Map<string, Uint8Array>();
  for (const { name, writes, removes } of publicMaps) {
    const [key, value] = writes[0] ?? [];
    const single = writes.length === 1 && removes.length === 0 && key !== undefined && equalBytes(key, SINGLE_KEY);
    if (!single || value === undefined || !SIGNATURE_TABLES.has(name)) {
      throw malformed(`table ${name} does not belong into a signature entry in this form`);
    }
    values.set(name, value);
  }
  const json = values.get(SIGNATURES_TABLE);
  const tree = values.get(TREE_TABLE);
  if (json === undefined || tree === undefined || privateBytes !== 0) {
    throw malformed("a signature entry has the signatures and tree tables and no private part");
  }
  const coseBytes = values.get(COSE_SIGNATURES_TABLE);
  return {
    ...parseSignatureJson(json),
    tree,
    ...(coseBytes === undefined ? {} : { cose: parseCoseJson(coseBytes) }),
  };
}

/** §3.4: a byte string in JSON is base64 text. */
function coseJson(cose: CoseSign1): string {
  return JSON.stringify(base64(encodeCoseSign1(cose)));
}

function parseCoseJson(bytes: Uint8Array): CoseSign1 {
  if (bytes.length > COSE_JSON_BYTES_MAX) throw malformed(`the COSE signature's JSON has ${bytes.length} bytes`);
  let cose: CoseSign1 | undefined;
  try {
    const text = fromUtf8(bytes);
    const content = asText(JSON.parse(text));
    // One spelling: no white space and no escapes here; base64 and CBOR are read in one form only.
    if (JSON.stringify(content) === text) cose = decodeCoseSign1(fromBase64(content));
  } catch (cause) {
    throw malformed("the COSE signature is no base64 text in JSON", cause);
  }
  if (cose === undefined || cose.proof !== undefined) {
    throw malformed("the COSE signature is not as the specification says");
  }
  return cose;
}

/** §7.1: compact, keys sorted. */
function signatureJson(
  { cert, node, root, seqno, sig, view }: Omit<SignatureRecord, "tree" | "cose">,
  hashedNonce: string,
  commitSeqno: number,
  commitView: number,
): string {
  return JSON.stringify({
    ...(cert === undefined ? {} : { cert }),
    commit_seqno: commitSeqno,
    commit_view: commitView,
    hashed_nonce: hashedNonce,
    node,
    root: hex(root),
    seqno,
    sig: base64(sig),
    view,
  });
}

function parseSignatureJson(bytes: Uint8Array): Omit<SignatureRecord, "tree" | "cose"> {
  if (bytes.length > SIGNATURE_JSON_BYTES_MAX) throw malformed(`the signature's JSON has ${bytes.length} bytes`);
  try {
    const text = fromUtf8(bytes);
    const fields = asFields(JSON.parse(text));
    const { cert } = fields;
    const record = {
      node: parseNodeId(asText(fields.node)),
      seqno: seqno(asNumber(fields.seqno, Number.MAX_SAFE_INTEGER)),
      view: view(asNumber(fields.view, VIEW_MAX)),
      root: fromHex(asText(fields.root)),
      sig: fromBase64(asText(fields.sig)),
      ...(cert === undefined ? {} : { cert: asText(cert) }),
    };
    const hashedNonce = asText(fields.hashed_nonce);
    const commitSeqno = asNumber(fields.commit_seqno, Number.MAX_SAFE_INTEGER);
    const commitView = asNumber(fields.commit_view, Number.MAX_SAFE_INTEGER);
    if (record.root.length !== DIGEST_BYTES || fromHex(hashedNonce).length !== DIGEST_BYTES) {
      throw new TypeError("a digest has another length");
    }
    // One spelling: refuses unknown, missing, repeated and unsorted keys, white space and other escapes at once.
    if (signatureJson(record, hashedNonce, commitSeqno, commitView) !== text)
      throw new TypeError("not the one compact form");
    return record;
  } catch (cause) {
    throw malformed("the signature's JSON is not as the specification says", cause);
  }
}

function asFields(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new TypeError("expected an object");
  return { ...value };
}

function asText(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("expected a text");
  return value;
}

function asNumber(value: unknown, max: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > max) {
    throw new TypeError("expected a number in range");
  }
  return value;
}

function malformed(message: string, cause?: unknown): LedgerError {
  return new LedgerError("malformed-signature", message, { cause });
}
