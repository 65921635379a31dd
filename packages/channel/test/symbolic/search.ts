/**
 * A bounded-session Dolev–Yao search. The attacker is the network: every message goes to it and only what it can make arrives.
 *
 * Problem. Find a run of honest nodes, each in several sessions at once, that breaks a law of `claims.ts`, or show that there is none within
 * the bound. The attacker's messages are infinitely many, and even the sensible ones make far too many runs to try one by one.
 *
 * The bound. Sessions between honest nodes are those of a `Scenario`, which has several at once. Sessions of honest nodes with the corrupted node
 * C, whose key the attacker has and whose certificate is endorsed, are bounded in kind: each honest node, in each role, has one for each
 * offer C can make (its own nonce and share, or those of any session between honest nodes). Any honest node's long-term key may leak at
 * any moment, if the scenario says so; from then on the attacker can play that node as it plays C, in further sessions of the same
 * kinds. The attacker makes one nonce and one exponent of its own.
 *
 * The reductions, and why none loses an attack within the bound:
 *
 * 1. Knowledge only grows and is never forgotten, so what is sent without being asked (every init) is sent at the start, and sessions with C
 *    go on as soon as they can ("saturate"). No law is claimed for them, so running them early only helps the attacker.
 *    Runs that differ in the order of independent steps lead to one state; a state is the set of how far each session has come.
 * 2. Fields the receiver checks get the one value that passes. Codecs are strict and lengths fixed (`wire`), so a field is never taken for
 *    one of another kind: terms are typed. A signature is one that was seen, its twin with the other s, or made with a known key. Twins are
 *    left out of the scenarios with leaks, and there a session between honest nodes whose peer's key has leaked goes on with genuine
 *    messages only: what the attacker makes in that node's name goes to the further sessions.
 * 3. Nonce and share come as an offer: copied together, own, or one of them own; shares also raised to the attacker's exponent. Mixing two honest
 *    offers cannot help: whoever signs a nonce signs a share with it, honest nodes sign pairs of their own, and a pair that some
 *    honest session compares with its own is one that came together.
 * 4. One nonce and one exponent of the attacker's stand for all: honest checks are equalities, so a run with many goes through with one in
 *    place of all. And no breach is hidden thereby: agreement compares what one honest end received with what the other made itself.
 *
 * Not modelled: algebra beyond commuting exponents (no addition of points, no related keys), lengths, time, and the state machine that
 * decides which sessions run: that one is explored for itself in `test/exploration`. Unbounded sessions are for ProVerif (`docs/formal`).
 */
import { type Breach, findBreach } from "./claims.js";
import { Knowledge } from "./knowledge.js";
import { CONSTANTS, makeNode, type Node } from "./messages.js";
import type { Law, Protocol } from "./protocol.js";
import {
  begin,
  type Choices,
  makeSession,
  type Offer,
  type Progress,
  type Session,
  type Step,
  steps,
} from "./session.js";
import { exp, name, raise } from "./term.js";

export interface Scenario {
  readonly name: string;
  /** Honest sessions as "initiator>responder": each gives one session at either end. Listing one twice gives two of each. */
  readonly exchanges: readonly (readonly [string, string])[];
  /** Whether long-term keys of honest nodes may leak. */
  readonly leaks: boolean;
}

export interface World {
  readonly protocol: Protocol;
  readonly honest: readonly Node[];
  /** Sessions between honest nodes, then those with the corrupted node or one whose key leaks. */
  readonly sessions: readonly Session[];
  readonly between: number;
  /** For each session with the corrupted node, or with one whose key leaks, what it is offered. */
  readonly offered: ReadonlyMap<Session, Choices>;
  readonly choices: Choices;
  /** For a session between honest nodes whose peer's key has leaked: what the attacker signs goes to the sessions in `offered` instead. */
  readonly choicesOfLeaked: Choices;
  readonly leaks: boolean;
}

/** Immutable. Arrays are by session. */
export interface State {
  readonly progress: readonly Progress[];
  /** The session has committed with an honest peer whose key had not leaked: the laws are claimed for it. */
  readonly claimed: readonly boolean[];
  /** The session's own key had leaked when it committed. */
  readonly ownLeaked: readonly boolean[];
  readonly leaked: ReadonlySet<Node>;
  readonly knowledge: Knowledge;
  /** How this state first came about. */
  readonly story: readonly string[];
}

export interface Result {
  readonly states: number;
  readonly steps: number;
  /** Sessions that committed in some run: a search in which nobody gets anywhere proves nothing. */
  readonly committed: ReadonlySet<string>;
  readonly attack: (Breach & { readonly trace: string }) | undefined;
}

const CORRUPTED = makeNode("C");
/** A session with a node whose key has yet to leak. */
const ASLEEP: Step = { progress: { at: "start" }, sent: [], story: "" };
const ATTACKER_EXPONENT = name("x[attacker]");
const ATTACKER_OFFER: Offer = { label: "the attacker", nonce: name("n[attacker]"), share: exp(ATTACKER_EXPONENT) };

export interface SearchOptions {
  /** Look for breaches of this law alone, past those of others. */
  readonly law?: Law;
  /** Give up, as if there were no attack, beyond this many states; never unless given. */
  readonly statesMax?: number;
}

/** Searches breadth first, so an attack that is found has the fewest steps. */
export function search(protocol: Protocol, scenario: Scenario, { law, statesMax }: SearchOptions = {}): Result {
  const world = makeWorld(protocol, scenario);
  const first = start(world);
  const seen = new Set([keyOf(first)]);
  const committed = new Set<string>();
  let frontier = [first];
  let stepCount = 0;
  while (frontier.length > 0 && seen.size <= (statesMax ?? Number.POSITIVE_INFINITY)) {
    const next: State[] = [];
    for (const before of frontier) {
      for (const { state, moved } of successors(world, before)) {
        stepCount += 1;
        const breach = findBreach(world, before, state, moved);
        if (breach !== undefined && breach.law === (law ?? breach.law))
          return { states: seen.size, steps: stepCount, committed, attack: withTrace(world, state, breach) };
        if (moved !== undefined && state.claimed[moved] === true) committed.add(world.sessions[moved]?.label ?? "");
        const key = keyOf(state);
        if (seen.has(key)) continue;
        seen.add(key);
        next.push(state);
      }
    }
    frontier = next;
  }
  return { states: seen.size, steps: stepCount, committed, attack: undefined };
}

function makeWorld(protocol: Protocol, { exchanges, leaks }: Scenario): World {
  const honest = [...new Set(exchanges.flat())].map(makeNode);
  const node = (label: string): Node => honest.find((one) => one.label === label) ?? CORRUPTED;
  const between = exchanges.flatMap(([initiator, responder], index) => {
    const nth = String(1 + exchanges.slice(0, index).filter(([i, r]) => i === initiator && r === responder).length);
    const [self, peer] = [node(initiator), node(responder)];
    return [
      makeSession(protocol, { self, peer, role: "initiator", nth }),
      makeSession(protocol, { self: peer, peer: self, role: "responder", nth }),
    ];
  });
  const offered = new Map<Session, Choices>();
  const certificates = [...honest, CORRUPTED];
  const rules = { signatures: "made or seen", twins: !leaks } as const;
  const offers = [ATTACKER_OFFER, ...between.map(({ own }) => own)];
  for (const peer of leaks ? [CORRUPTED, ...honest] : [CORRUPTED]) {
    for (const self of honest) {
      if (self === peer) continue;
      for (const [index, offer] of offers.entries()) {
        if (peer !== CORRUPTED && index > 0 && between[index - 1]?.self !== peer) continue;
        const nth = peer === CORRUPTED ? `${index + 1}` : `leak ${index + 1}`;
        const only: Choices = { offers: [offer], certificates: [peer], ...rules };
        offered.set(makeSession(protocol, { self, peer, role: "initiator", nth }), only);
        offered.set(makeSession(protocol, { self, peer, role: "responder", nth }), only);
      }
    }
  }
  const sessions = [...between, ...offered.keys()];
  const choices: Choices = { offers: offersOf(sessions), certificates, ...rules };
  const choicesOfLeaked: Choices = { ...choices, signatures: "seen" };
  return { protocol, honest, sessions, between: between.length, offered, choices, choicesOfLeaked, leaks };
}

/** 3. above. */
function offersOf(sessions: readonly Session[]): readonly Offer[] {
  const { nonce, share } = ATTACKER_OFFER;
  const offers = sessions.flatMap(({ own }) => [
    own,
    { label: `${own.label} with the attacker's nonce`, nonce, share: own.share },
    { label: `${own.label} with the attacker's share`, nonce: own.nonce, share },
    { label: `${own.label} with the attacker's nonce, raised`, nonce, share: raise(own.share, ATTACKER_EXPONENT) },
  ]);
  const different = new Map([ATTACKER_OFFER, ...offers].map((offer) => [`${offer.nonce.id}/${offer.share.id}`, offer]));
  return [...different.values()];
}

function start(world: World): State {
  const begun = world.sessions.map((session, index) =>
    index < world.between || session.peer === CORRUPTED ? begin(world.protocol, session) : ASLEEP,
  );
  const people = [...world.honest, CORRUPTED].flatMap(({ id, publicKey, certificate }) => [id, publicKey, certificate]);
  const own = [CORRUPTED.privateKey, ATTACKER_EXPONENT, ATTACKER_OFFER.nonce];
  return saturate(world, {
    progress: begun.map(({ progress }) => progress),
    claimed: begun.map(() => false),
    ownLeaked: begun.map(() => false),
    leaked: new Set(),
    knowledge: Knowledge.of([...CONSTANTS, ...people, ...own, ...begun.flatMap(({ sent }) => sent)]),
    story: [],
  });
}

/** Every state one step away: a session between honest nodes takes a message, or a key leaks. */
function* successors(
  world: World,
  state: State,
): Generator<{ readonly state: State; readonly moved: number | undefined }> {
  for (const [index, session] of world.sessions.entries()) {
    if (index >= world.between) break;
    const progress = state.progress[index];
    if (progress === undefined) continue;
    const choices = state.leaked.has(session.peer) ? world.choicesOfLeaked : world.choices;
    for (const step of steps(world.protocol, session, progress, state.knowledge, choices)) {
      yield { state: saturate(world, take(world, state, index, step)), moved: index };
    }
  }
  if (!world.leaks) return;
  for (const node of world.honest) {
    if (state.leaked.has(node)) continue;
    const leaked = new Set([...state.leaked, node]);
    const story = [...state.story, `${node.label}'s long-term key leaks`];
    const knowledge = state.knowledge.with([node.privateKey]);
    yield { state: saturate(world, { ...state, leaked, knowledge, story }), moved: undefined };
  }
}

function take(world: World, state: State, index: number, { progress, sent, story }: Step): State {
  const session = world.sessions[index];
  if (session === undefined) throw new RangeError("no such session");
  const commits = progress.at === "committed" && state.progress[index]?.at !== "committed";
  const isClaimed = session.peer !== CORRUPTED && !state.leaked.has(session.peer);
  return {
    ...state,
    progress: state.progress.with(index, progress),
    claimed: commits ? state.claimed.with(index, isClaimed) : state.claimed,
    ownLeaked: commits ? state.ownLeaked.with(index, state.leaked.has(session.self)) : state.ownLeaked,
    knowledge: state.knowledge.with(sent),
    story: index < world.between ? [...state.story, `${session.label} ${story}`] : state.story,
  };
}

/** 1. above: the corrupted node's sessions take every step they can. Its choices are fixed by what each was made for. */
function saturate(world: World, from: State): State {
  let state = from;
  for (let isChanging = true; isChanging; ) {
    isChanging = false;
    for (const [index, session] of world.sessions.entries()) {
      const [progress, choices] = [state.progress[index], world.offered.get(session)];
      if (progress === undefined || choices === undefined) continue;
      if (session.peer !== CORRUPTED && !state.leaked.has(session.peer)) continue;
      const [step] = nextOf(world, session, progress, choices, state.knowledge);
      if (step === undefined) continue;
      state = take(world, state, index, step);
      isChanging = true;
    }
  }
  return state;
}

function nextOf(
  world: World,
  session: Session,
  progress: Progress,
  choices: Choices,
  knowledge: Knowledge,
): readonly Step[] {
  if (session.role === "initiator" && progress.at === "start") return [begin(world.protocol, session)];
  return steps(world.protocol, session, progress, knowledge, choices);
}

/** Two states with one key have the same future: knowledge is what the sessions and the leaks have put on the network. */
function keyOf({ progress, claimed, ownLeaked, leaked }: State): string {
  const parts = progress.map(({ at, init, response }) => `${at}${init?.term.id ?? ""}:${response?.term.id ?? ""}`);
  return [
    ...parts,
    claimed.map(Number).join(""),
    ownLeaked.map(Number).join(""),
    ...[...leaked].map((n) => n.label).toSorted(),
  ].join();
}

function withTrace({ protocol }: World, { story }: State, breach: Breach): Breach & { readonly trace: string } {
  const lines = story.map((line, index) => `  ${index + 1}. ${line}`);
  return {
    ...breach,
    trace: [`attack on ${protocol.name} (${breach.law}):`, ...lines, `  => ${breach.story}`].join("\n"),
  };
}
