/**
 * The key exchange of channel version 2 (channel-v2 §2), frame type 0, and the trailer of every record (§5). Sizes and kinds only: whether a
 * share lies on the curve, a certificate is endorsed or a signature holds is for the channel to check.
 *
 *     init      u64 16 | u64 2 | initiator id (32) | responder id (32) | nonce (32) | share (97) | u32 length ‖ certificate | signature
 *     response  u64 17 | u64 2 | handshake id (8) | nonce (32) | share (97) | u32 length ‖ certificate | signature
 *     final     u64 18 | u64 2 | handshake id (8) | signature
 *     confirm   u64 19 | u64 2 | handshake id (8) | record trailer
 *     trailer   key id (4) | u64 counter | tag (16)
 *
 * The signature is what is left: 96 bytes for P-384, 64 for P-256. A message is signed over a hash of its own bytes above the signature,
 * so encoding is in two steps: `encode…` gives those bytes, the signature is put behind them. Kinds 0 to 2 belong to version 1.
 */
import type { NodeId } from "./brands.js";
import { Reader, Writer } from "./codec.js";
import { WireError } from "./errors.js";
import { NODE_ID_BYTES, nodeIdBytes, nodeIdFromBytes } from "./ids.js";

const VERSION = 2;
const INIT = 16;
const RESPONSE = 17;
const FINAL = 18;
const CONFIRM = 19;

/** The first bytes of SHA-384(init): by it response, final and confirm name the attempt they belong to. */
export const HANDSHAKE_ID_BYTES = 8;
export const HANDSHAKE_NONCE_BYTES = 32;
/** A P-384 point, uncompressed SEC1: 0x04 ‖ X ‖ Y. */
export const KEY_SHARE_BYTES = 97;
/** Bound on a certificate: a P-384 node certificate with a few names is under 1 KiB. */
export const CERTIFICATE_BYTES_MAX = 8 * 1024;
const SIGNATURE_BYTES_P384 = 96;
const SIGNATURE_BYTES_P256 = 64;

const KEY_ID_BYTES = 4;
const TAG_BYTES = 16;
/** Bytes between a record's header and its ciphertext or ledger entries. */
export const RECORD_TRAILER_BYTES = KEY_ID_BYTES + 8 + TAG_BYTES;

/** Both kinds and versions, and what is of one length; the length of the certificate is counted. */
const INIT_FIXED_BYTES = 16 + 2 * NODE_ID_BYTES + HANDSHAKE_NONCE_BYTES + KEY_SHARE_BYTES + 4;
const RESPONSE_FIXED_BYTES = 16 + HANDSHAKE_ID_BYTES + HANDSHAKE_NONCE_BYTES + KEY_SHARE_BYTES + 4;

/** What an initiator signs. Byte fields have the lengths of the constants above. */
export interface ChannelInitFields {
  readonly initiator: NodeId;
  readonly responder: NodeId;
  readonly nonce: Uint8Array;
  readonly share: Uint8Array;
  /** DER, 1 to 8,192 bytes. */
  readonly certificate: Uint8Array;
}

export interface ChannelResponseFields {
  readonly handshakeId: Uint8Array;
  readonly nonce: Uint8Array;
  readonly share: Uint8Array;
  readonly certificate: Uint8Array;
}

interface Signed {
  /** All bytes above the signature, as they came. */
  readonly signed: Uint8Array;
  /** Raw r ‖ s, 96 or 64 bytes. */
  readonly signature: Uint8Array;
}

export interface ChannelInit extends ChannelInitFields, Signed {
  readonly kind: "init";
}

export interface ChannelResponse extends ChannelResponseFields, Signed {
  readonly kind: "response";
}

export interface ChannelFinal extends Signed {
  readonly kind: "final";
  readonly handshakeId: Uint8Array;
}

/** A tagged record under the new keys: `header` is its additional data, its plaintext is empty. */
export interface ChannelConfirm extends RecordTrailer {
  readonly kind: "confirm";
  readonly handshakeId: Uint8Array;
  readonly header: Uint8Array;
}

export type HandshakeMessage = ChannelInit | ChannelResponse | ChannelFinal | ChannelConfirm;

export interface RecordTrailer {
  /** 4 bytes; which key the sender used. */
  readonly keyId: Uint8Array;
  /** 1 for the first record under a key. At most 2^53 − 1, far above the 2^24.5 records a key may seal. */
  readonly counter: number;
  /** 16 bytes, AES-GCM. */
  readonly tag: Uint8Array;
}

/** The init message above its signature. @throws {RangeError} when a byte field has another length than its constant. */
export function encodeInitUnsigned({ initiator, responder, nonce, share, certificate }: ChannelInitFields): Uint8Array {
  checkExchangeFields(nonce, share, certificate);
  const writer = new Writer(INIT_FIXED_BYTES + certificate.length).u64(INIT).u64(VERSION);
  writer.bytes(nodeIdBytes(initiator)).bytes(nodeIdBytes(responder));
  return writer.bytes(nonce).bytes(share).blob32(certificate).done();
}

/** The response message above its signature. @throws {RangeError} as `encodeInitUnsigned`. */
export function encodeResponseUnsigned({ handshakeId, nonce, share, certificate }: ChannelResponseFields): Uint8Array {
  checkLength("handshake id", handshakeId, HANDSHAKE_ID_BYTES);
  checkExchangeFields(nonce, share, certificate);
  const writer = new Writer(RESPONSE_FIXED_BYTES + certificate.length).u64(RESPONSE).u64(VERSION).bytes(handshakeId);
  return writer.bytes(nonce).bytes(share).blob32(certificate).done();
}

/** The final message above its signature, 24 bytes. */
export function encodeFinalUnsigned(handshakeId: Uint8Array): Uint8Array {
  checkLength("handshake id", handshakeId, HANDSHAKE_ID_BYTES);
  return new Writer(24).u64(FINAL).u64(VERSION).bytes(handshakeId).done();
}

/** The confirm message above its record trailer: the 24 bytes of header that the record authenticates. */
export function encodeConfirm(handshakeId: Uint8Array): Uint8Array {
  checkLength("handshake id", handshakeId, HANDSHAKE_ID_BYTES);
  return new Writer(24).u64(CONFIRM).u64(VERSION).bytes(handshakeId).done();
}

/** The 28 bytes between a record's header and what follows. @throws {RangeError} for wrong lengths or a counter outside 1 … 2^53 − 1. */
export function encodeRecordTrailer({ keyId, counter, tag }: RecordTrailer): Uint8Array {
  checkLength("key id", keyId, KEY_ID_BYTES);
  checkLength("tag", tag, TAG_BYTES);
  if (counter < 1) throw new RangeError("record counters start at 1");
  return new Writer(RECORD_TRAILER_BYTES).bytes(keyId).u64(counter).bytes(tag).done();
}

/**
 * The trailer at the start of exactly 28 bytes. Byte fields are views.
 * @throws {WireError} `truncated`, `trailing`; `out-of-range` for counter 0 or one above 2^53 − 1.
 */
export function decodeRecordTrailer(bytes: Uint8Array): RecordTrailer {
  const reader = new Reader(bytes);
  const trailer = readRecordTrailer(reader);
  reader.done();
  return trailer;
}

/**
 * One message of the key exchange. All byte fields are views of `payload`: copy what outlives it.
 * @throws {WireError} `unknown-kind` for another kind or version, version 1 included; `truncated`; `trailing`; `too-large` for a certificate
 *   over its bound; `malformed` for an empty one or a signature of another length than 96 or 64; `out-of-range`.
 */
export function decodeHandshake(payload: Uint8Array): HandshakeMessage {
  const reader = new Reader(payload);
  const kind = reader.u64("key exchange kind");
  if (kind < INIT || kind > CONFIRM) throw new WireError("unknown-kind", `unknown key exchange kind ${kind}`);
  const version = reader.u64("version");
  if (version !== VERSION)
    throw new WireError("unknown-kind", `version ${version} of the key exchange is not ${VERSION}`);
  switch (kind) {
    case INIT: {
      const initiator = nodeIdFromBytes(reader.bytes(NODE_ID_BYTES, "initiator id"));
      const responder = nodeIdFromBytes(reader.bytes(NODE_ID_BYTES, "responder id"));
      return { kind: "init", initiator, responder, ...readExchangeFields(reader), ...readSignature(reader, payload) };
    }
    case RESPONSE: {
      const handshakeId = reader.bytes(HANDSHAKE_ID_BYTES, "handshake id");
      return { kind: "response", handshakeId, ...readExchangeFields(reader), ...readSignature(reader, payload) };
    }
    case FINAL: {
      const handshakeId = reader.bytes(HANDSHAKE_ID_BYTES, "handshake id");
      return { kind: "final", handshakeId, ...readSignature(reader, payload) };
    }
    default: {
      const handshakeId = reader.bytes(HANDSHAKE_ID_BYTES, "handshake id");
      const header = payload.subarray(0, reader.offset);
      const trailer = readRecordTrailer(reader);
      reader.done();
      return { kind: "confirm", handshakeId, header, ...trailer };
    }
  }
}

function readExchangeFields(reader: Reader): { nonce: Uint8Array; share: Uint8Array; certificate: Uint8Array } {
  const nonce = reader.bytes(HANDSHAKE_NONCE_BYTES, "nonce");
  const share = reader.bytes(KEY_SHARE_BYTES, "key share");
  const certificate = reader.blob32(CERTIFICATE_BYTES_MAX, "certificate");
  if (certificate.length === 0) throw new WireError("malformed", "the certificate is empty");
  return { nonce, share, certificate };
}

/** The signature has no length in front: it is all that is left, and only two lengths exist. */
function readSignature(reader: Reader, payload: Uint8Array): Signed {
  const signed = payload.subarray(0, reader.offset);
  if (reader.remaining < SIGNATURE_BYTES_P256) throw new WireError("truncated", "the signature is cut short");
  if (reader.remaining > SIGNATURE_BYTES_P384)
    throw new WireError("trailing", "bytes are left over after the signature");
  const signature = reader.rest();
  if (signature.length !== SIGNATURE_BYTES_P384 && signature.length !== SIGNATURE_BYTES_P256) {
    throw new WireError("malformed", `a signature has 96 or 64 bytes, not ${signature.length}`);
  }
  return { signed, signature };
}

function readRecordTrailer(reader: Reader): RecordTrailer {
  const keyId = reader.bytes(KEY_ID_BYTES, "key id");
  const counter = reader.u64("counter");
  const tag = reader.bytes(TAG_BYTES, "tag");
  // channel-v2 §5: counters start at 1, so 0 was never sealed by anyone.
  if (counter === 0) throw new WireError("out-of-range", "record counters start at 1");
  return { keyId, counter, tag };
}

function checkExchangeFields(nonce: Uint8Array, share: Uint8Array, certificate: Uint8Array): void {
  checkLength("nonce", nonce, HANDSHAKE_NONCE_BYTES);
  checkLength("key share", share, KEY_SHARE_BYTES);
  if (certificate.length === 0 || certificate.length > CERTIFICATE_BYTES_MAX) {
    throw new RangeError(`a certificate cannot have ${certificate.length} bytes`);
  }
}

function checkLength(field: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new RangeError(`the ${field} has ${length} bytes, got ${bytes.length}`);
}
