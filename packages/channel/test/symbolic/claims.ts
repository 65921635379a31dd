/**
 * The laws of channel-v2 §7, as checks on one step of a run. A law is claimed for a session whose peer is honest and whose peer's long-term
 * key was not leaked when the session committed. The session's own key may have been (key-compromise impersonation), and any key may leak
 * afterwards (forward secrecy).
 */
import { fieldOf } from "./messages.js";
import type { Law } from "./protocol.js";
import type { State, World } from "./search.js";
import type { Progress, Session } from "./session.js";
import type { Term } from "./term.js";

export interface Breach {
  readonly law: Law;
  readonly story: string;
}

/**
 * The first law that does not hold in `state`, which came about by a step of session `moved` (undefined: by a leak).
 * @param before - The state the step was taken in: agreement asks who had done what by then.
 */
export function findBreach(world: World, before: State, state: State, moved: number | undefined): Breach | undefined {
  const moving = moved === undefined ? undefined : world.sessions[moved];
  const breach = keyBreach(world, state);
  if (breach !== undefined || moved === undefined || moving === undefined || state.claimed[moved] !== true) {
    return breach ?? secrecyBreach(world, state, moved);
  }
  return agreementBreach(world, before, state, moved, moving) ?? secrecyBreach(world, state, moved);
}

/** Neither direction's key is known to the attacker, now or after all keys leak. */
function secrecyBreach(
  world: World,
  { progress, claimed, knowledge, ownLeaked }: State,
  moved: number | undefined,
): Breach | undefined {
  for (const [index, session] of world.sessions.entries()) {
    const keys = progress[index]?.keys;
    if (claimed[index] !== true || keys === undefined) continue;
    if (!knowledge.has(keys.initiator) && !knowledge.has(keys.responder)) continue;
    const law = ownLeaked[index] === true ? "key-compromise impersonation" : "secrecy";
    return { law: moved === undefined ? "forward secrecy" : law, story: `the attacker has keys of ${session.label}` };
  }
  return undefined;
}

/** Unknown key share: two nodes with one key are each other's peers. Claimed for all sessions, those with the corrupted node too. */
function keyBreach(world: World, { progress }: State): Breach | undefined {
  const holders = new Map<Term, Session>();
  for (const [index, session] of world.sessions.entries()) {
    const own = progress[index];
    if (own?.keys === undefined || own.at === "start" || own.at === "waiting") continue;
    const key = session.role === "initiator" ? own.keys.initiator : own.keys.responder;
    const heldBy = [holders.get(own.keys.initiator), holders.get(own.keys.responder)];
    for (const other of heldBy) {
      if (other === undefined || haveSameEnds(session, other)) continue;
      return { law: "unknown key share", story: `${session.label} and ${other.label} have a key in common` };
    }
    holders.set(key, session);
  }
  return undefined;
}

/**
 * Injective agreement on ids, roles, shares, nonces and version; and on the keys, but for the initiator's commit: whoever carries the response
 * can replace its signature by the twin, and so the transcript hash. The responder then refuses the final, and no first record ever
 * proves the initiator's keys. So this is worth as much to an attacker as losing the final, which ends in a time-out too.
 */
function agreementBreach(
  world: World,
  before: State,
  state: State,
  moved: number,
  session: Session,
): Breach | undefined {
  const own = state.progress[moved];
  if (own === undefined || own.at === "start" || own.at === "waiting") return undefined;
  const law: Law = own.at === "proven" ? "agreement on confirm" : `agreement of the ${session.role}`;
  // An initiator commits on the responder's word, which the responder gives before it commits; all else follows a commit of the peer.
  const isFirstWord = session.role === "initiator" && own.at === "committed";
  const enough: readonly Progress["at"][] = isFirstWord ? ["waiting", "committed", "proven"] : ["committed", "proven"];
  const partners = world.sessions.flatMap((other, index) => {
    const progress = before.progress[index];
    if (progress === undefined || !areEnds(session, other) || !enough.includes(progress.at)) return [];
    return agree(agreedBy(own, !isFirstWord), agreedBy(progress, true)) ? [index] : [];
  });
  const broken = (story: string): Breach => {
    const isKci = state.ownLeaked[moved] === true;
    return { law: isKci ? "key-compromise impersonation" : law, story: `${session.label}: ${story}` };
  };
  if (partners.length === 0)
    return broken("no session of its peer has run with the same ids, roles, nonces, shares and keys");
  // Injective: one run of the peer stands behind one commit only.
  const twin = world.sessions.findIndex((other, index) => {
    if (index === moved || other.self !== session.self || other.role !== session.role || state.claimed[index] !== true)
      return false;
    return agree(agreedBy(own, false), agreedBy(state.progress[index], false));
  });
  if (twin >= 0 && partners.length < 2) return broken(`shares its peer's run with ${world.sessions[twin]?.label}`);
  return undefined;
}

function areEnds(one: Session, other: Session): boolean {
  return one.self === other.peer && one.peer === other.self && one.role !== other.role;
}

/** One node twice, towards one peer, or the two ends of one pair. */
function haveSameEnds(one: Session, other: Session): boolean {
  return (one.self === other.self && one.peer === other.peer) || (one.self === other.peer && one.peer === other.self);
}

/** What two ends have to agree on besides roles. The version is a constant in every message. */
function agreedBy(progress: Progress | undefined, withKeys: boolean): readonly Term[] | undefined {
  const { init, response, keys } = progress ?? {};
  if (init === undefined || response === undefined || keys === undefined) return undefined;
  const shown = [init, response].flatMap((message) => [fieldOf(message, "nonce"), fieldOf(message, "share")]);
  const ids = [fieldOf(init, "initiator"), fieldOf(init, "responder")];
  return [...ids, ...shown, ...(withKeys ? [keys.initiator, keys.responder] : [])];
}

function agree(one: readonly Term[] | undefined, other: readonly Term[] | undefined): boolean {
  return one !== undefined && other !== undefined && one.every((term, index) => term === other[index]);
}
