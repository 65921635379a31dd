/** Who talks to whom, and whom this node believes: what every handshake message is made from and checked against (channel-v2 §3). */
import type { CryptoSuite, Curve, EndorsementCache, KeyPair } from "@sealane/crypto";
import type { NodeId } from "@sealane/wire";

/** This node. */
export interface ChannelSelf {
  /** SHA-256 of the SPKI of `keyPair`. */
  readonly id: NodeId;
  /** The node key; signs every attempt. Borrowed for the channel's life. */
  readonly keyPair: KeyPair;
  /** The node's certificate, endorsed by the service; DER. Read anew for every attempt, so it may be a getter. */
  readonly certificate: Uint8Array;
}

/** Whom the peer has to be vouched for by. */
export interface ChannelTrust {
  /** The service certificate, DER: the only anchor. */
  readonly serviceCertificate: Uint8Array;
  /** Whether a node is in the set of known nodes now. Asked for every handshake message. */
  readonly trusted: (id: NodeId) => boolean;
  /** Unix time in milliseconds. Validity times of certificates are checked if and only if this is given (§3). */
  readonly nowMs?: () => number;
  /** Curves a node key may be on. Unless given, P-384 alone (§1); in version 1 P-256 as well (channel-v1-wire §1). */
  readonly curves?: readonly Curve[];
}

/** One end of one channel. */
export interface Party {
  readonly suite: CryptoSuite;
  readonly self: ChannelSelf;
  readonly peer: NodeId;
  readonly trust: ChannelTrust;
  readonly cache: EndorsementCache;
}
