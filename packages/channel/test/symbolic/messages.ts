/** Messages, signatures and keys of a protocol description as terms: the place where channel-v2 §1, §2, §4 and §5 are written as formulas. */
import type { Field, MessageKind, Protocol, Role } from "./protocol.js";
import {
  aead,
  EMPTY,
  exp,
  expand,
  extract,
  first8,
  hash,
  name,
  raise,
  set,
  sign,
  type Term,
  tuple,
  xOf,
} from "./term.js";

/** A node of the model. Its long-term key is its node key, endorsed by the service. */
export interface Node {
  readonly label: string;
  readonly privateKey: Term;
  readonly publicKey: Term;
  /** §1: SHA-256 of the public key. */
  readonly id: Term;
  readonly certificate: Term;
}

export interface Message {
  readonly kind: MessageKind;
  readonly values: ReadonlyMap<Field, Term>;
  /** All bytes. */
  readonly term: Term;
}

/** Both keys of an exchange, named by the role that sends under them. */
export interface ExchangeKeys {
  readonly initiator: Term;
  readonly responder: Term;
}

export const SERVICE_KEY = name("service key");
export const KINDS: Readonly<Record<MessageKind, Term>> = {
  init: name("kind 16"),
  response: name("kind 17"),
  final: name("kind 18"),
  confirm: name("kind 19"),
};
export const VERSION = name("version 2");
/** §1: in front of the transcript hash. */
export const LABELS: Readonly<Record<Role, Term>> = {
  init: name("sealane/channel/2/init\0"),
  response: name("sealane/channel/2/response\0"),
  final: name("sealane/channel/2/final\0"),
};
/** §4: in front of the direction. */
export const KEY_LABEL = name("sealane/channel/2/key");
const BOTH_DIRECTIONS = name("both directions");
/** §5: frame types as one byte, and the counter of a first record. */
export const FRAME_TYPE_CHANNEL = name("frame type 0");
const FRAME_TYPE_FORWARDED = name("frame type 2");
export const FIRST_COUNTER = name("counter 1");
const FORWARDED_HEADER = name("a forwarded header");

/** Public from the start. */
export const CONSTANTS: readonly Term[] = [
  ...Object.values(KINDS),
  ...Object.values(LABELS),
  ...[VERSION, KEY_LABEL, BOTH_DIRECTIONS, FRAME_TYPE_CHANNEL, FRAME_TYPE_FORWARDED, FIRST_COUNTER, FORWARDED_HEADER],
];

export function makeNode(label: string): Node {
  const privateKey = name(`key of ${label}`);
  const publicKey = exp(privateKey);
  return { label, privateKey, publicKey, id: hash(publicKey), certificate: sign(SERVICE_KEY, publicKey) };
}

/** The public key a genuine certificate holds. */
export function certifiedKey(certificate: Term): Term {
  const [, publicKey] = certificate.parts;
  if (publicKey === undefined) throw new RangeError("not a certificate");
  return publicKey;
}

/** A message from the values of its fields; those of no interest to this kind are ignored. */
export function makeMessage(protocol: Protocol, kind: MessageKind, values: Partial<Record<Field, Term>>): Message {
  const all: Partial<Record<Field, Term>> = { ...values, kind: KINDS[kind], version: VERSION };
  const fields = new Map<Field, Term>();
  for (const field of protocol.layout[kind]) {
    const value = all[field];
    if (value !== undefined) fields.set(field, value);
  }
  return { kind, values: fields, term: tuple(...fields.values()) };
}

export function fieldOf(message: Message, field: Field): Term {
  const value = message.values.get(field);
  if (value === undefined) throw new RangeError(`a ${message.kind} has no ${field}`);
  return value;
}

/** What the sender of the last message signs. `messages` are all of the exchange so far; the last one has no signature yet. */
export function signedContent(protocol: Protocol, role: Role, messages: readonly Message[]): Term {
  if (protocol.signed === "unordered ends") return hash(set(...endsOf(messages)));
  const fields = messages.flatMap(({ values }) =>
    [...values].flatMap(([field, value]) => (protocol.unsigned.has(field) ? [] : [value])),
  );
  const transcriptHash = hash(tuple(...fields));
  return protocol.signed === "transcript" ? transcriptHash : tuple(LABELS[role], transcriptHash);
}

/** For the variant that forgets who is who: both ids, and with each the nonce and share it has shown. */
function endsOf([init, response]: readonly Message[]): readonly Term[] {
  if (init === undefined) return [];
  const end = (id: Term, message: Message): Term => tuple(id, fieldOf(message, "nonce"), fieldOf(message, "share"));
  const responder = fieldOf(init, "responder");
  return [end(fieldOf(init, "initiator"), init), response === undefined ? responder : end(responder, response)];
}

/** What proves the signer's part in `content` to `verifier`, of whom only the public key is used. */
export function authenticate(
  protocol: Protocol,
  signer: { readonly privateKey: Term },
  verifierKey: Term,
  content: Term,
  twin: 0 | 1 = 0,
): Term {
  if (protocol.authenticator === "signature") return sign(signer.privateKey, content, twin);
  return hash(tuple(xOf(raise(verifierKey, signer.privateKey)), content));
}

export const handshakeIdOf = (init: Message): Term => first8(hash(init.term));

/** §4. @param exponent - The own ephemeral private key. @param share - The peer's share. */
export function keysOf(
  protocol: Protocol,
  init: Message,
  response: Message,
  [exponent, share]: readonly [Term, Term],
  responder: Term,
): ExchangeKeys {
  const initiator = fieldOf(init, "initiator");
  const salt = protocol.transcriptInKeys ? hash(tuple(init.term, response.term)) : EMPTY;
  const prk = extract(salt, xOf(raise(share, exponent)));
  if (!protocol.keyPerDirection) {
    const key = expand(prk, tuple(KEY_LABEL, BOTH_DIRECTIONS));
    return { initiator: key, responder: key };
  }
  return {
    initiator: expand(prk, tuple(KEY_LABEL, initiator, responder)),
    responder: expand(prk, tuple(KEY_LABEL, responder, initiator)),
  };
}

/** §2, §5: the first record under the responder's key; its additional data are the frame type and the message above the tag. */
export function makeConfirm(protocol: Protocol, handshakeId: Term, key: Term): Message {
  const header = makeMessage(protocol, "confirm", { handshakeId }).term;
  const tag = aead(key, FIRST_COUNTER, tuple(FRAME_TYPE_CHANNEL, header), EMPTY);
  return makeMessage(protocol, "confirm", { handshakeId, tag });
}

/** §5: a forwarded request, as the initiator may send it behind its final. */
export function makeRecord(key: Term, plaintext: Term): Term {
  return aead(key, FIRST_COUNTER, tuple(FRAME_TYPE_FORWARDED, FORWARDED_HEADER), plaintext);
}
