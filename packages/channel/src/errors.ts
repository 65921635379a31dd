/** Every reason for which a channel refuses something, as closed unions (channel-v2 §3: "each refusal has its own error code"). */
import type { CertificateErrorCode } from "@sealane/crypto";

/**
 * Why a handshake message was refused. Listed in the order of the checks; none has changed any key or attempt.
 * - `truncated`, `trailing`, `too-large`, `out-of-range`, `malformed`: its layout, as `WireError` names it.
 * - `unknown-kind`: no message of this version, for instance one of the other version.
 * - `wrong-version`: a kind of this version with another version number.
 * - `wrong-receiver`: meant for another node.
 * - `own-id`: claims to come from this very node, or in version 1 has its certificate, so somebody reflects our messages.
 * - `wrong-sender`: comes from another node than this channel's peer.
 * - `untrusted`: the peer is not (or no longer) in the set of known nodes.
 * - `replayed-init`: this very init is being answered already, or in version 1 was answered before.
 * - `no-attempt`: a response, while no attempt of ours waits for one.
 * - `unknown-handshake`: names a handshake that is not, or no longer, under way.
 * - `rate-limited`: the peer's allowance of messages that cost a signature verification is used up.
 * - `anchor-not-self-signed`: version 1 only; the service certificate this end was given is not a self-signed one (channel-v1-wire §3.4).
 * - `certificate-…`: the certificate, as `CertificateError` names it.
 * - `identity-mismatch`: the certificate's key is not the one the peer's id is the hash of.
 * - `bad-share`: the key share is not a point on P-384, or not in the one form it is sent in.
 * - `signature-length`: not the length that fits the certificate's curve.
 * - `bad-signature`: the signature does not hold.
 * - `collision`: a valid init, but this node's own attempt goes first (§4, both initiate).
 */
export type HandshakeErrorCode =
  | "truncated"
  | "trailing"
  | "too-large"
  | "out-of-range"
  | "malformed"
  | "unknown-kind"
  | "wrong-version"
  | "wrong-receiver"
  | "own-id"
  | "wrong-sender"
  | "untrusted"
  | "replayed-init"
  | "no-attempt"
  | "unknown-handshake"
  | "rate-limited"
  | "anchor-not-self-signed"
  | `certificate-${CertificateErrorCode}`
  | "identity-mismatch"
  | "bad-share"
  | "signature-length"
  | "bad-signature"
  | "collision";

/**
 * Why a record was refused. Listed in the order of the checks.
 * - `truncated-record`: shorter than its header and trailer.
 * - `no-keys`: there is no receive key at all. An exchange was started, since the peer seems to have keys we lost.
 * - `unknown-key`: its key id belongs to no receive key in use. Nothing was decrypted to find out.
 * - `replayed-counter`: at or below the last counter accepted under its key.
 * - `counter-too-high`: above the number of records one key may protect.
 * - `bad-tag`: does not verify. Only this one counts as a failed open.
 */
export type RecordErrorCode =
  | "truncated-record"
  | "no-keys"
  | "unknown-key"
  | "replayed-counter"
  | "counter-too-high"
  | "bad-tag";

/** What did not come in time: the response to our init, the final to our response, the first record after our final (§4). */
export type TimeoutCode = "response-timeout" | "final-timeout" | "record-timeout";

export type ChannelErrorCode = HandshakeErrorCode | RecordErrorCode | TimeoutCode;

/**
 * A handshake message was refused. Never leaves this package: the channel turns it into a `rejected` output for the local log, and
 * tells the peer nothing.
 */
export class HandshakeError extends Error {
  override readonly name = "HandshakeError";
  readonly code: HandshakeErrorCode;
  constructor(code: HandshakeErrorCode, options?: ErrorOptions) {
    super(`handshake message refused: ${code}`, options);
    this.code = code;
  }
}
