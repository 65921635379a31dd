/**
 * An honest node's part in one exchange: what it sends, and every message it would accept from an attacker with given knowledge. The checks
 * are those of channel-v2 §3. A message is tried out field by field: what the receiver checks has one value, what it does not check (nonce,
 * share, certificate) ranges over the offers, and then the attacker must have, or be able to make, the signature that fits.
 */
import type { Knowledge } from "./knowledge.js";
import {
  authenticate,
  certifiedKey,
  type ExchangeKeys,
  fieldOf,
  handshakeIdOf,
  keysOf,
  type Message,
  makeConfirm,
  makeMessage,
  makeRecord,
  type Node,
  signedContent,
} from "./messages.js";
import type { Field, Protocol } from "./protocol.js";
import { exp, hash, name, type Term } from "./term.js";

/** A nonce and a share that were made, or copied, together. */
export interface Offer {
  readonly label: string;
  readonly nonce: Term;
  readonly share: Term;
}

export interface Session {
  readonly label: string;
  readonly self: Node;
  readonly peer: Node;
  readonly role: "initiator" | "responder";
  readonly exponent: Term;
  readonly own: Offer;
}

/** How far a session has come. `committed`: it uses the keys. `proven`: it has opened a record under them. */
export interface Progress {
  readonly at: "start" | "waiting" | "committed" | "proven";
  readonly init?: Message;
  readonly response?: Message;
  readonly keys?: ExchangeKeys;
  /** The key that signs for the peer, as its certificate said. */
  readonly peerKey?: Term;
}

export interface Step {
  readonly progress: Progress;
  readonly sent: readonly Term[];
  /** For people. */
  readonly story: string;
}

/** What an attacker may put where the receiver checks nothing. */
export interface Choices {
  readonly offers: readonly Offer[];
  readonly certificates: readonly { readonly label: string; readonly certificate: Term }[];
  /** Whether signatures may be made with known keys, or have to have been seen. */
  readonly signatures: "made or seen" | "seen";
  /** Whether a seen signature comes with its twin. */
  readonly twins: boolean;
}

export function makeSession(
  protocol: Protocol,
  {
    self,
    peer,
    role,
    nth,
  }: { readonly self: Node; readonly peer: Node; readonly role: Session["role"]; readonly nth: string },
): Session {
  const label = `${self.label}, ${role} with ${peer.label} #${nth}`;
  const life = {
    attempt: `${self.label}${role === "initiator" ? ">" : "<"}${peer.label}#${nth}`,
    "pair of nodes": `${self.label}/${peer.label}`,
    node: `${self.label}${role === "initiator" ? ">" : "<"}${peer.label}#${nth}`,
  }[protocol.lifeOfShare];
  const exponent = protocol.lifeOfShare === "node" ? self.privateKey : name(`x[${life}]`);
  return { label, self, peer, role, exponent, own: { label, nonce: name(`n[${life}]`), share: exp(exponent) } };
}

/** What a session does without being asked: an initiator sends its init. */
export function begin(protocol: Protocol, { self, peer, role, own }: Session): Step {
  if (role === "responder") return { progress: { at: "start" }, sent: [], story: "" };
  const values = {
    ...{ initiator: self.id, responder: peer.id },
    ...{ nonce: own.nonce, share: own.share, certificate: self.certificate },
  };
  const content = signedContent(protocol, "init", [makeMessage(protocol, "init", values)]);
  const signature = authenticate(protocol, self, peer.publicKey, content);
  const init = makeMessage(protocol, "init", { ...values, signature });
  return { progress: { at: "waiting", init }, sent: [init.term], story: `sends init` };
}

/** Every step the session can be made to take next. */
export function steps(
  protocol: Protocol,
  session: Session,
  progress: Progress,
  knowledge: Knowledge,
  choices: Choices,
): readonly Step[] {
  switch (progress.at) {
    case "start":
      return acceptInit(protocol, session, knowledge, choices);
    case "waiting":
      return session.role === "initiator"
        ? acceptResponse(protocol, session, progress, knowledge, choices)
        : acceptFinal(protocol, session, progress, knowledge, choices);
    case "committed":
      return session.role === "initiator" ? acceptRecord(progress, knowledge) : [];
    case "proven":
      return [];
  }
}

function acceptInit(protocol: Protocol, session: Session, knowledge: Knowledge, choices: Choices): readonly Step[] {
  const { self, peer, own } = session;
  const from = { initiator: peer.id, responder: self.id };
  return accepted(protocol, session, "init", [], from, knowledge, choices).map(({ message: init, peerKey, story }) => {
    const values = {
      handshakeId: handshakeIdOf(init),
      ...{ nonce: own.nonce, share: own.share, certificate: self.certificate },
    };
    const content = signedContent(protocol, "response", [init, makeMessage(protocol, "response", values)]);
    const signature = authenticate(protocol, self, peerKey, content);
    const response = makeMessage(protocol, "response", { ...values, signature });
    const keys = keysOf(protocol, init, response, [session.exponent, fieldOf(init, "share")], self.id);
    const isDone = protocol.responderSwitchesAt === "init";
    const progress: Progress = { at: isDone ? "committed" : "waiting", init, response, keys, peerKey };
    return { progress, sent: [response.term], story: `accepts init with ${story}, sends response` };
  });
}

function acceptResponse(
  protocol: Protocol,
  session: Session,
  { init }: Progress,
  knowledge: Knowledge,
  choices: Choices,
): readonly Step[] {
  if (init === undefined) return [];
  const { self, peer } = session;
  const handshakeId = handshakeIdOf(init);
  const answers = accepted(protocol, session, "response", [init], { handshakeId }, knowledge, choices);
  return answers.map(({ message: response, peerKey, story }) => {
    const unsigned = makeMessage(protocol, "final", { handshakeId });
    const content = signedContent(protocol, "final", [init, response, unsigned]);
    const signature = authenticate(protocol, self, peerKey, content);
    const final = makeMessage(protocol, "final", { handshakeId, signature });
    const keys = keysOf(protocol, init, response, [session.exponent, fieldOf(response, "share")], peer.id);
    const record = makeRecord(keys.initiator, name(`secret of ${session.label}`));
    const progress: Progress = { at: "committed", init, response, keys, peerKey };
    return {
      progress,
      sent: [final.term, record],
      story: `accepts response with ${story}, uses the keys, sends final and a record`,
    };
  });
}

function acceptFinal(
  protocol: Protocol,
  session: Session,
  progress: Progress,
  knowledge: Knowledge,
  choices: Choices,
): readonly Step[] {
  const { init, response, keys, peerKey } = progress;
  if (init === undefined || response === undefined || keys === undefined || peerKey === undefined) return [];
  const handshakeId = handshakeIdOf(init);
  const content = signedContent(protocol, "final", [init, response, makeMessage(protocol, "final", { handshakeId })]);
  if (available(signaturesOver(protocol, session, peerKey, content), knowledge, choices).length === 0) return [];
  const confirm = makeConfirm(protocol, handshakeId, keys.responder);
  return [
    {
      progress: { ...progress, at: "committed" },
      sent: [confirm.term],
      story: "accepts final, uses the keys, sends confirm",
    },
  ];
}

/** §4: the first record under the new key, confirm or data, tells the initiator that the responder has it too. */
function acceptRecord(progress: Progress, knowledge: Knowledge): readonly Step[] {
  const key = progress.keys?.responder;
  if (key === undefined) return [];
  const isAvailable = knowledge.has(key) || knowledge.sealed.some(({ parts }) => parts[0] === key);
  return isAvailable
    ? [{ progress: { ...progress, at: "proven" }, sent: [], story: "accepts a first record under its receive key" }]
    : [];
}

/** An init or response that passes every check but the signature's. */
interface Candidate {
  readonly offer: Offer;
  readonly peerKey: Term;
  readonly values: Partial<Record<Field, Term>>;
  /** The signature that fits, and its twin if there is one. */
  readonly signatures: readonly Term[];
  readonly story: string;
}

/** Candidates do not depend on what the attacker knows, and most of the search's time would go into making them again. */
const candidates = new WeakMap<readonly Offer[], Map<string, readonly Candidate[]>>();

/** Every init or response the session would accept next, with the key it took for the peer's. */
function accepted(
  protocol: Protocol,
  session: Session,
  kind: "init" | "response",
  before: readonly Message[],
  checked: Partial<Record<Field, Term>>,
  knowledge: Knowledge,
  choices: Choices,
): readonly { readonly message: Message; readonly peerKey: Term; readonly story: string }[] {
  const made = candidates.get(choices.offers) ?? new Map<string, readonly Candidate[]>();
  candidates.set(choices.offers, made);
  const key = `${session.label}/${kind}/${before.map(({ term }) => term.id).join()}`;
  const all = made.get(key) ?? candidatesFor(protocol, session, kind, before, checked, choices);
  made.set(key, all);
  return all.flatMap(({ offer, peerKey, values, signatures, story }) => {
    if (!knowledge.has(offer.nonce) || !knowledge.has(offer.share)) return [];
    return available(signatures, knowledge, choices).map((signature) => {
      const twin = signature === signatures[0] ? "" : ", the signature's twin";
      return { message: makeMessage(protocol, kind, { ...values, signature }), peerKey, story: story + twin };
    });
  });
}

function candidatesFor(
  protocol: Protocol,
  session: Session,
  kind: "init" | "response",
  before: readonly Message[],
  checked: Partial<Record<Field, Term>>,
  { certificates, offers }: Choices,
): readonly Candidate[] {
  return certificates.flatMap(({ label, certificate }) => {
    const peerKey = certifiedKey(certificate);
    if (protocol.certificateBoundToId && hash(peerKey) !== session.peer.id) return [];
    return offers.map((offer) => {
      const values = { ...checked, nonce: offer.nonce, share: offer.share, certificate };
      const content = signedContent(protocol, kind, [...before, makeMessage(protocol, kind, values)]);
      const signatures = signaturesOver(protocol, session, peerKey, content);
      return {
        offer,
        peerKey,
        values,
        signatures,
        story: `nonce and share of ${offer.label}, certificate of ${label}`,
      };
    });
  });
}

/** What `self` takes as the signature of the holder of `peerKey`. */
function signaturesOver(protocol: Protocol, { self }: Session, peerKey: Term, content: Term): readonly Term[] {
  const [privateKey] = peerKey.parts;
  if (privateKey === undefined) return [];
  const twins = protocol.authenticator === "signature" ? ([0, 1] as const) : ([0] as const);
  return twins.map((twin) => authenticate(protocol, { privateKey }, self.publicKey, content, twin));
}

/** Of these the ones that the attacker can show: one that was seen, perhaps with its twin, or one that it makes. */
function available(
  signatures: readonly Term[],
  knowledge: Knowledge,
  { signatures: from, twins }: Choices,
): readonly Term[] {
  const first = signatures.slice(0, 1);
  if (first.some((signature) => knowledge.hasSeen(signature))) return twins ? signatures : first;
  return from === "seen" ? [] : first.filter((signature) => knowledge.has(signature));
}
