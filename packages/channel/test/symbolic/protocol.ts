/**
 * Version 2 of the channel protocol as data (channel-v2 §2 to §4), and versions of it that are broken on purpose. `real-bytes.test.ts`
 * turns the terms made from `VERSION_2` into bytes and compares them with what the real code signs, hashes and derives.
 *
 * Version 2 says most things twice: an id is in its own field, in the certificate and in the handshake id, a role is in the label, in the
 * kind and in the layout. So taking off one of them breaks nothing, and each broken variant takes off all that guard one law.
 */

export type MessageKind = "init" | "response" | "final" | "confirm";
/** §1: what stands in a signature's label. Confirm has no signature. */
export type Role = Exclude<MessageKind, "confirm">;

export type Field =
  | "kind"
  | "version"
  | "initiator"
  | "responder"
  | "handshakeId"
  | "nonce"
  | "share"
  | "certificate"
  /** The last one of its message: what the signature is put behind. */
  | "signature"
  /** Confirm's trailer: the record tag over all above, under the new keys. */
  | "tag";

export interface Protocol {
  readonly name: string;
  /** Fields of each message, in the order of the wire. */
  readonly layout: Readonly<Record<MessageKind, readonly Field[]>>;
  /** Fields left out of what is signed, in a message itself and where a later one signs it again. */
  readonly unsigned: ReadonlySet<Field>;
  /** What a signature covers: all messages so far, behind a label naming the role or behind none; or both ends' ids, nonces and shares and not whose is whose. */
  readonly signed: "labelled transcript" | "transcript" | "unordered ends";
  /** How a message is authenticated: by the sender's key alone, or by a secret that either end's key gives. */
  readonly authenticator: "signature" | "static Diffie–Hellman";
  /** §3: the certificate's key has to be the one the sender's id is the hash of. */
  readonly certificateBoundToId: boolean;
  /** How long a nonce and a share live. */
  readonly lifeOfShare: "attempt" | "pair of nodes" | "node";
  /** §4: a responder puts new keys to use when it sees the final. */
  readonly responderSwitchesAt: "final" | "init";
  /** §4: the key of a direction depends on the direction. */
  readonly keyPerDirection: boolean;
  /** §4: the transcript hash is the salt of the keys. */
  readonly transcriptInKeys: boolean;
}

export const VERSION_2: Protocol = {
  name: "version 2",
  layout: {
    init: ["kind", "version", "initiator", "responder", "nonce", "share", "certificate", "signature"],
    response: ["kind", "version", "handshakeId", "nonce", "share", "certificate", "signature"],
    final: ["kind", "version", "handshakeId", "signature"],
    confirm: ["kind", "version", "handshakeId", "tag"],
  },
  unsigned: new Set(),
  signed: "labelled transcript",
  authenticator: "signature",
  certificateBoundToId: true,
  lifeOfShare: "attempt",
  responderSwitchesAt: "final",
  keyPerDirection: true,
  transcriptInKeys: true,
};

export interface Weakened extends Protocol {
  /** The law whose breach the checker has to find. */
  readonly breaks: Law;
}

/** The laws of channel-v2 §7. `claims.ts` says exactly what each means. */
export type Law =
  | "secrecy"
  | "forward secrecy"
  | "agreement of the initiator"
  | "agreement of the responder"
  | "agreement on confirm"
  | "key-compromise impersonation"
  | "unknown key share";

const weakened = (name: string, breaks: Law, changes: Partial<Protocol>): Weakened => ({
  ...VERSION_2,
  ...changes,
  name,
  breaks,
});

/** The handshake id and the signatures inside later transcripts would still stand for the ids. */
const IDENTITIES: ReadonlySet<Field> = new Set(["initiator", "responder", "certificate", "handshakeId", "signature"]);

export const WEAKENED: readonly Weakened[] = [
  weakened("ids not signed, neither as such nor in certificates", "agreement of the initiator", {
    unsigned: IDENTITIES,
  }),
  weakened("ids neither signed nor in the keys", "unknown key share", {
    unsigned: IDENTITIES,
    ...{ transcriptInKeys: false, keyPerDirection: false },
  }),
  weakened("roles not separated, and one share for both roles", "agreement of the responder", {
    signed: "unordered ends",
    lifeOfShare: "pair of nodes",
  }),
  weakened("nonce (version 1's salt) not signed", "agreement of the initiator", {
    unsigned: new Set(["nonce", "handshakeId"]),
  }),
  weakened("certificate not bound to id", "agreement of the initiator", { certificateBoundToId: false }),
  weakened("responder switches keys at init", "agreement of the responder", { responderSwitchesAt: "init" }),
  weakened("one key for both directions", "agreement on confirm", { keyPerDirection: false }),
  weakened("shares as long-lived as the node", "forward secrecy", { lifeOfShare: "node" }),
  weakened("authenticated by a static shared secret", "key-compromise impersonation", {
    authenticator: "static Diffie–Hellman",
  }),
];

/** Defence in depth: switches whose removal alone the checker must find harmless, which says that it does not see attacks everywhere. */
export const STILL_SAFE: readonly Protocol[] = [
  { ...VERSION_2, name: "id fields not signed, while certificates are", unsigned: new Set(["initiator", "responder"]) },
  { ...VERSION_2, name: "roles not in labels, while in kinds", signed: "transcript" },
];
