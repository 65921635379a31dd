/**
 * Client requests that a backup hands to the primary, and the answers (channel-v1-wire §10, ledger spec §13). The header travels in clear
 * and authenticated, the body encrypted.
 *
 *     command header   u64 4 | u8 format | u64 commandId | u64 view      25 bytes; the view in which the client's session runs
 *     response header  u64 5 | u8 format | u64 commandId | u8 terminate  18 bytes; 1 ends the client's session
 *
 *     command body     u64 sessionId | u8 hasCertificate | [u64 length ‖ caller certificate, DER] | request
 *     response body    u64 sessionId | response
 *
 * Format 0 means that request and response are HTTP/1.1 text: version 1. Version 2 uses format 1, in which there is nothing to parse twice:
 *
 *     request          u32 length ‖ method | u32 length ‖ path | u32 length ‖ body
 *     response         u32 status | u32 length ‖ body
 *
 * Older header forms (kinds 0 to 3, without command id or view) are refused.
 */
import { VIEW_MAX, type View } from "./brands.js";
import { fromUtf8, utf8 } from "./bytes.js";
import { Reader, Writer } from "./codec.js";
import { WireError } from "./errors.js";
import { type LayoutOptions, readFlag, readU64, readView } from "./fields.js";
import { CERTIFICATE_BYTES_MAX } from "./handshake.js";

const COMMAND = 4;
const RESPONSE = 5;
const FORMAT_HTTP = 0;
const FORMAT_SEALANE = 1;

const KIND_BYTES = 8;
const COMMAND_HEADER_BYTES = 25;
const RESPONSE_HEADER_BYTES = 18;

/** Bound on a forwarded path with its query. */
export const FORWARDED_PATH_BYTES_MAX = 8 * 1024;
const METHOD_BYTES_MAX = 16;
const METHOD = /^[A-Z]{1,16}$/;
const PATH = /^\/[!-~]*$/;

export type ForwardedHeader =
  | {
      readonly type: "command";
      /** Counts up from 0 per sender; the response repeats it. */
      readonly commandId: number;
      readonly view: View;
    }
  | { readonly type: "response"; readonly commandId: number; readonly terminateSession: boolean };

/** A request as it reached the backup. */
export interface ForwardedRequest {
  readonly sessionId: number;
  /** DER, at most `CERTIFICATE_BYTES_MAX`; present when the client showed a certificate in TLS. The backup vouches for it. */
  readonly callerCertificate?: Uint8Array;
  /** Upper-case letters, at most 16. */
  readonly method: string;
  /** Path and query: starts with `/`, then printable ASCII without spaces. */
  readonly path: string;
  /** JSON bytes, not parsed here; may be empty. */
  readonly body: Uint8Array;
}

export interface ForwardedResponse {
  readonly sessionId: number;
  /** HTTP status, 200 to 599. */
  readonly status: number;
  readonly body: Uint8Array;
}

/** The header of a forwarded record. @throws {RangeError} when a number does not fit its field. */
export function encodeForwardedHeader(header: ForwardedHeader, { version = 2 }: LayoutOptions = {}): Uint8Array {
  const format = formatOf(version);
  if (header.type === "response") {
    const writer = new Writer(RESPONSE_HEADER_BYTES).u64(RESPONSE).u8(format).u64(header.commandId);
    return writer.u8(header.terminateSession ? 1 : 0).done();
  }
  if (header.view > VIEW_MAX) throw new RangeError(`view ${header.view} is above 2^31 - 1`);
  return new Writer(COMMAND_HEADER_BYTES).u64(COMMAND).u8(format).u64(header.commandId).u64(header.view).done();
}

/**
 * How many bytes of a forwarded payload are the header, by its kind alone.
 * @throws {WireError} `truncated` when the payload is shorter than that, `unknown-kind`.
 */
export function forwardedHeaderBytes(payload: Uint8Array): number {
  if (payload.length < KIND_BYTES) throw new WireError("truncated", "a forwarded message starts with 8 bytes of kind");
  const data = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const kind = readU64(data, 0, "forwarded message kind");
  if (kind !== COMMAND && kind !== RESPONSE)
    throw new WireError("unknown-kind", `unknown forwarded message kind ${kind}`);
  const length = kind === COMMAND ? COMMAND_HEADER_BYTES : RESPONSE_HEADER_BYTES;
  if (payload.length < length) {
    throw new WireError("truncated", `a forwarded header of ${length} bytes was cut to ${payload.length}`);
  }
  return length;
}

/**
 * The header: exactly the bytes `forwardedHeaderBytes` counts.
 * @throws {WireError} `truncated`, `trailing`; `unknown-kind` for another kind or the other version's format; `out-of-range`.
 */
export function decodeForwardedHeader(bytes: Uint8Array, { version = 2 }: LayoutOptions = {}): ForwardedHeader {
  const length = forwardedHeaderBytes(bytes);
  if (bytes.length > length)
    throw new WireError("trailing", `${bytes.length - length} bytes follow a forwarded header`);
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = data.getUint8(8);
  if (format !== formatOf(version))
    throw new WireError("unknown-kind", `unknown format ${format} of a forwarded message`);
  const commandId = readU64(data, 9, "commandId");
  return length === COMMAND_HEADER_BYTES
    ? { type: "command", commandId, view: readView(data, 17, "view") }
    : { type: "response", commandId, terminateSession: readFlag(data, 17, "terminateSession") };
}

/**
 * The plaintext of a forwarded command.
 * @throws {RangeError} when method, path, certificate or session id is not of the form `ForwardedRequest` states.
 */
export function encodeForwardedRequest(request: ForwardedRequest): Uint8Array {
  const { sessionId, callerCertificate, method, path, body } = request;
  const wrong = wrongMethod(method) ?? wrongPath(path);
  if (wrong !== undefined) throw new RangeError(wrong);
  const certificateBytes = callerCertificate?.length ?? 1;
  if (certificateBytes === 0 || certificateBytes > CERTIFICATE_BYTES_MAX) {
    throw new RangeError(`a caller's certificate cannot have ${certificateBytes} bytes`);
  }
  const writer = new Writer(64 + certificateBytes + method.length + path.length + body.length).u64(sessionId);
  if (callerCertificate === undefined) writer.u8(0);
  else writer.u8(1).blob64(callerCertificate);
  return writer.blob32(utf8(method)).blob32(utf8(path)).blob32(body).done();
}

/**
 * The request in a command's plaintext. Byte fields are views of `bytes`.
 * @throws {WireError} `truncated`, `trailing`, `too-large`, `out-of-range`, `utf8`; `malformed` for a wrong method, path or empty certificate.
 */
export function decodeForwardedRequest(bytes: Uint8Array): ForwardedRequest {
  const reader = new Reader(bytes);
  const sessionId = reader.u64("sessionId");
  const hasCertificate = reader.u8("hasCertificate");
  if (hasCertificate > 1) throw new WireError("out-of-range", "hasCertificate is neither 0 nor 1");
  const callerCertificate =
    hasCertificate === 1 ? reader.blob64(CERTIFICATE_BYTES_MAX, "caller certificate") : undefined;
  if (callerCertificate?.length === 0) throw new WireError("malformed", "the caller certificate is empty");
  const method = fromUtf8(reader.blob32(METHOD_BYTES_MAX, "method"));
  const path = fromUtf8(reader.blob32(FORWARDED_PATH_BYTES_MAX, "path"));
  const body = reader.blob32(undefined, "body");
  reader.done();
  const wrong = wrongMethod(method) ?? wrongPath(path);
  if (wrong !== undefined) throw new WireError("malformed", wrong);
  const request = { sessionId, method, path, body };
  return callerCertificate === undefined ? request : { ...request, callerCertificate };
}

/** The plaintext of a forwarded response. @throws {RangeError} when session id or status is out of range. */
export function encodeForwardedResponse({ sessionId, status, body }: ForwardedResponse): Uint8Array {
  if (!isStatus(status)) throw new RangeError(`${status} is no HTTP status from 200 to 599`);
  return new Writer(16 + body.length).u64(sessionId).u32(status).blob32(body).done();
}

/**
 * The response in a response's plaintext. `body` is a view of `bytes`.
 * @throws {WireError} `truncated`, `trailing`, `out-of-range`.
 */
export function decodeForwardedResponse(bytes: Uint8Array): ForwardedResponse {
  const reader = new Reader(bytes);
  const sessionId = reader.u64("sessionId");
  const status = reader.u32("status");
  const body = reader.blob32(undefined, "body");
  reader.done();
  if (!isStatus(status)) throw new WireError("out-of-range", "the status is no HTTP status from 200 to 599");
  return { sessionId, status, body };
}

function wrongMethod(method: string): string | undefined {
  return METHOD.test(method) ? undefined : "the method is not 1 to 16 upper-case letters";
}

function wrongPath(path: string): string | undefined {
  return path.length <= FORWARDED_PATH_BYTES_MAX && PATH.test(path)
    ? undefined
    : `the path is not "/" and printable ASCII, at most ${FORWARDED_PATH_BYTES_MAX} characters`;
}

function isStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 200 && status <= 599;
}

function formatOf(version: 1 | 2): number {
  return version === 1 ? FORMAT_HTTP : FORMAT_SEALANE;
}
