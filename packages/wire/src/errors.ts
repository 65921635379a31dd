/** What a codec of this package throws when bytes or text from outside are refused. */

/**
 * - `truncated`: the input ends before a field does.
 * - `trailing`: bytes are left over behind the last field.
 * - `unknown-kind`: a type tag, frame type or version that this codec does not know.
 * - `out-of-range`: a number no field of this protocol may hold: a u64 above 2^53 − 1, a view above 2^31 − 1, a flag other than 0 or 1.
 * - `too-large`: a length over the bound stated at the codec. Nothing of that length was allocated.
 * - `utf8`: bytes that are not well-formed UTF-8.
 * - `malformed`: text or a document of the wrong form; the message names the field.
 */
export type WireErrorCode =
  | "truncated"
  | "trailing"
  | "unknown-kind"
  | "out-of-range"
  | "too-large"
  | "utf8"
  | "malformed";

/**
 * Input from outside was refused; no state has changed. From a peer: drop the message (a frame error closes the connection).
 * From a client: answer `malformed`. The message names fields and lengths, never their contents, so that it may be logged.
 */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly code: WireErrorCode;
  constructor(code: WireErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
