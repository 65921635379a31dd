/** Why a transport could not be made or told something. What happens on the network later is an event, never an error. */

/**
 * - `address-in-use`: another process listens there. Stop it or choose another port.
 * - `address-denied`: the operating system does not allow it (ports under 1024, usually).
 * - `bad-address`: not `host:port`, or no such host on this machine.
 * - `listen-failed`: anything else; see `cause`.
 * - `id-in-use`: the in-memory network already has an open transport with this id.
 */
export type TransportErrorCode = "address-in-use" | "address-denied" | "bad-address" | "listen-failed" | "id-in-use";

/** A transport could not be started or was given an unusable address. The message is a sentence for the operator. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly code: TransportErrorCode;
  constructor(code: TransportErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
