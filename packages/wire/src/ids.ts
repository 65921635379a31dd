/** Node ids as bytes and transaction ids as text (channel-v2 §1; ledger spec, conventions). */
import { NodeId, Seqno, type TxId, View } from "./brands.js";
import { fromHex, hex } from "./bytes.js";
import { WireError } from "./errors.js";

/** Bytes of a node id: one SHA-256 hash. */
export const NODE_ID_BYTES = 32;

/** The 32 raw bytes of a node id. */
export function nodeIdBytes(id: NodeId): Uint8Array {
  return fromHex(id);
}

/**
 * The node id of 32 raw bytes.
 * @throws {RangeError} for another length. That is a bug of the caller: codecs cut out exactly 32 bytes.
 */
export function nodeIdFromBytes(bytes: Uint8Array): NodeId {
  if (bytes.length !== NODE_ID_BYTES) throw new RangeError(`a node id has ${NODE_ID_BYTES} bytes, got ${bytes.length}`);
  return hex(bytes) as NodeId; // 32 bytes give 64 lower-case digits
}

/** The node id a text spells. @throws {WireError} `malformed` unless it is 64 lower-case hex digits. */
export function parseNodeId(text: string): NodeId {
  const parsed = NodeId.safeParse(text);
  if (!parsed.success) throw new WireError("malformed", "a node id is 64 lower-case hex digits");
  return parsed.data;
}

/** `view.seqno`, for example `2.17`. */
export function formatTxId(txId: TxId): string {
  return `${txId.view}.${txId.seqno}`;
}

/** Two decimal numbers without sign or leading zeros: each transaction id has one spelling. */
const TX_ID = /^(0|[1-9][0-9]{0,9})\.(0|[1-9][0-9]{0,15})$/;

/**
 * The transaction id of its text.
 * @throws {WireError} `malformed` for another form, `out-of-range` for a view above 2^31 − 1 or a seqno above 2^53 − 1.
 */
export function parseTxId(text: string): TxId {
  const match = TX_ID.exec(text);
  if (match === null)
    throw new WireError("malformed", 'a transaction id has the form "view.seqno", two decimal numbers');
  const view = View.safeParse(Number(match[1]));
  const seqno = Seqno.safeParse(Number(match[2]));
  if (!view.success) throw new WireError("out-of-range", "the view of the transaction id is above 2^31 - 1");
  if (!seqno.success) throw new WireError("out-of-range", "the seqno of the transaction id is above 2^53 - 1");
  return { view: view.data, seqno: seqno.data };
}
