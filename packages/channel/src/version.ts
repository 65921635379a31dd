/**
 * What differs between the versions of the channel protocol, as one object for each. `Channel` and `Exchange` decide when something
 * happens; the version decides which bytes that is, how they are checked and which keys come out.
 */
import type { KeyPair, PublicKey } from "@sealane/crypto";
import type { Party } from "./party.js";
import type { ReceiveKey } from "./receive-key.js";
import type { RecordFormat } from "./record-format.js";
import type { SendKey } from "./send-key.js";

/** Versions this package speaks. A channel is configured for one and refuses any other; there is no negotiation. */
export type ChannelVersionNumber = 1 | 2;

/** One key per direction, as seen from one end. Owned by whoever holds it, who wipes both. */
export interface SessionKeys {
  readonly send: SendKey;
  readonly receive: ReceiveKey;
}

/** The initiator's side of an exchange whose response is awaited. */
export interface Attempt {
  /** As hex. */
  readonly handshakeId: string;
  /** The init message, all of it. */
  readonly init: Uint8Array;
  /** Made for this attempt alone; wiped with it. */
  readonly ephemeral: KeyPair;
}

/** The responder's side of an exchange whose final is awaited. The ephemeral key is wiped already, and the keys are not in use. */
export interface PendingHandshake {
  readonly handshakeId: string;
  /** What the final signs, apart from its own bytes: init ‖ response; in version 1 the responder's share. A copy. */
  readonly transcript: Uint8Array;
  /** The peer's node key, from the certificate of its init. */
  readonly peerKey: PublicKey;
  readonly keys: SessionKeys;
}

/**
 * A message from the peer that passed the checks which cost nothing. What costs a signature is done by its method, so that the caller can
 * ask the rate limiter first. The methods throw `HandshakeError` and change nothing but what they return. Bytes are views of the
 * payload: call the methods before the payload's owner reuses it.
 */
export type ReceivedMessage =
  | {
      readonly kind: "init";
      readonly handshakeId: string;
      /** Checks the init in full. */
      verify(): VerifiedInit;
    }
  | {
      readonly kind: "response";
      /** Undefined in version 1, where a response names no exchange: its signature has to tell. */
      readonly handshakeId: string | undefined;
      /** Checks the response to `attempt` in full, derives the keys, and gives the final message. */
      complete(attempt: Attempt): { readonly final: Uint8Array; readonly keys: SessionKeys };
    }
  | {
      readonly kind: "final";
      /** Undefined in version 1, as for a response. */
      readonly handshakeId: string | undefined;
      /** Checks the signature over the whole exchange. */
      verify(pending: PendingHandshake): void;
    }
  | {
      readonly kind: "confirm";
      readonly handshakeId: string;
      /** Length of the part that the record's tag covers; the trailer follows. */
      readonly headerBytes: number;
    };

/** An init whose signature holds. It may still lose a collision, so the answer is made apart. */
export interface VerifiedInit {
  /** Makes the response under a fresh ephemeral key, and the keys that the final will put to use. */
  answer(): { readonly response: Uint8Array; readonly pending: PendingHandshake };
}

/** Where the messages of a version force the state machine of `exchange.ts` to differ. */
export interface ExchangeRules {
  /**
   * Whether the node that goes first in a collision sends its init once more. Never in version 1: an existing node makes the same keys of the
   * same init, and starts their counters again.
   */
  readonly repeatsInit: boolean;
  /** How many answered inits are remembered, to refuse them when they come again. An init of version 2 need not be: its replay does nothing. */
  readonly answeredInitsKept: number;
  /**
   * Whether records wait between our response and the final when keys are in use. An initiator of version 1 reads with the new key alone from the
   * response on, so whatever follows the response under the old key is lost.
   */
  readonly holdsRecords: boolean;
  /** Whether a responder that saw no final starts afresh with keys in use too. In version 1 the initiator cannot notice that its final was lost. */
  readonly retriesRenewal: boolean;
  /**
   * When new keys have to be proven by a record of the peer within the time-out. "at-once": the initiator waits for confirm. "when-doubted":
   * either end, from the first record on that fails under them; a peer of version 1 may have nothing to send.
   */
  readonly unproven: "at-once" | "when-doubted";
}

export interface ChannelVersion {
  readonly version: ChannelVersionNumber;
  readonly records: RecordFormat;
  readonly rules: ExchangeRules;
  /** A new attempt: new ephemeral key, new nonce, signed init. */
  start(party: Party): Attempt;
  /** Parses a payload of frame type 0 and checks everything that costs no signature. @throws {HandshakeError} */
  read(party: Party, payload: Uint8Array): ReceivedMessage;
  /** The confirm message: the first record under the responder's new send key. Version 1 has none. */
  readonly confirm: ((pending: PendingHandshake) => Uint8Array) | undefined;
}
