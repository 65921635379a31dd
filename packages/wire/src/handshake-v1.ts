/**
 * The key exchange of channel version 1 (channel-v1-wire §3), for talking to existing CCF nodes. Frame type 0. `blob` is `u64 length ‖ bytes`.
 *
 *     init      u64 0 | u64 1 | blob share | blob signature | blob certificate | blob salt
 *     response  u64 1 | u64 1 | blob share | blob signature | blob certificate
 *     final     u64 2 | blob signature | anything
 *
 * A share is 0x61 ‖ 0x04 ‖ X ‖ Y, 98 bytes, and a salt 32 bytes; the receiver of version 1 takes any length from 1 (§3.1, §3.5), and so does
 * this decoder: what a share is worth is decided where it is put on the curve. It is as strict as version 1 and no stricter, or existing
 * peers would be cut off; the one thing added is a bound on each blob. Bytes behind a final are ignored, as §3.5 has it: the only codec of
 * this package that lets any pass.
 */
import { Reader, Writer } from "./codec.js";
import { WireError } from "./errors.js";

const VERSION = 1;
const INIT = 0;
const RESPONSE = 1;
const FINAL = 2;

/** Bound on every field. A PEM certificate, the largest, is about 1 KiB. */
export const V1_FIELD_BYTES_MAX = 16 * 1024;

export interface ChannelInitV1 {
  readonly kind: "init";
  /** With its first byte 0x61: that byte is part of what is signed. */
  readonly share: Uint8Array;
  /** ECDSA, DER. */
  readonly signature: Uint8Array;
  /** PEM text. */
  readonly certificate: Uint8Array;
  /** HKDF salt; senders use 32 bytes. */
  readonly salt: Uint8Array;
}

export interface ChannelResponseV1 {
  readonly kind: "response";
  readonly share: Uint8Array;
  readonly signature: Uint8Array;
  readonly certificate: Uint8Array;
}

export interface ChannelFinalV1 {
  readonly kind: "final";
  readonly signature: Uint8Array;
}

export type HandshakeMessageV1 = ChannelInitV1 | ChannelResponseV1 | ChannelFinalV1;

/** A message of the version 1 key exchange. @throws {RangeError} when a field is empty or over its bound. */
export function encodeHandshakeV1(message: HandshakeMessageV1): Uint8Array {
  const writer = new Writer(1024);
  switch (message.kind) {
    case "init":
      writer.u64(INIT).u64(VERSION);
      return writeFields(writer, message.share, message.signature, message.certificate, message.salt);
    case "response":
      writer.u64(RESPONSE).u64(VERSION);
      return writeFields(writer, message.share, message.signature, message.certificate);
    case "final":
      return writeFields(writer.u64(FINAL), message.signature);
  }
}

/**
 * The message of a version 1 key exchange. Byte fields are views of `payload`.
 * @throws {WireError} `unknown-kind` for another kind or version; `truncated`; `trailing` behind an init or response; `too-large` for a field
 *   over its bound; `malformed` for an empty one; `out-of-range`.
 */
export function decodeHandshakeV1(payload: Uint8Array): HandshakeMessageV1 {
  const reader = new Reader(payload);
  const kind = reader.u64("key exchange kind");
  if (kind > FINAL) throw new WireError("unknown-kind", `unknown key exchange kind ${kind}`);
  if (kind === FINAL) return { kind: "final", signature: readField(reader, "signature") };
  const version = reader.u64("version");
  if (version !== VERSION)
    throw new WireError("unknown-kind", `version ${version} of the key exchange is not ${VERSION}`);
  const share = readField(reader, "key share");
  const signature = readField(reader, "signature");
  const certificate = readField(reader, "certificate");
  if (kind === RESPONSE) {
    reader.done();
    return { kind: "response", share, signature, certificate };
  }
  const salt = readField(reader, "salt");
  reader.done();
  return { kind: "init", share, signature, certificate, salt };
}

function readField(reader: Reader, field: string): Uint8Array {
  const bytes = reader.blob64(V1_FIELD_BYTES_MAX, field);
  if (bytes.length === 0) throw new WireError("malformed", `the ${field} is empty`);
  return bytes;
}

function writeFields(writer: Writer, ...fields: readonly Uint8Array[]): Uint8Array {
  for (const field of fields) {
    if (field.length === 0 || field.length > V1_FIELD_BYTES_MAX) {
      throw new RangeError(`a field of the version 1 key exchange cannot have ${field.length} bytes`);
    }
    writer.blob64(field);
  }
  return writer.done();
}
