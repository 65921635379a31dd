/**
 * Exhaustive exploration of the real channel code. Two `Channel` objects and a network that an adversary schedules: which frame arrives next, which
 * is lost or comes twice, when a timer runs out, when either side wants a channel or new keys. All schedules within a budget are tried, up
 * to a fixpoint: until no action leads to a state that was not seen before.
 *
 * What counts as one state has to be sound: two schedules may be taken for one only if all that follows is the same. A state is both channels'
 * inputs that had an effect, with their times (`end.ts`), the bytes in flight, the clock and what is left of the budget. So interleavings
 * that differ in the order of independent steps fall together, and so do replays that are refused, while states that only look alike do
 * not. Only at rest, with nothing left of any exchange, the past is forgotten (`Run.isClean`).
 *
 * Laws:
 * - No (key, nonce) pair seals twice.
 * - No deadlock, no divergence: if from any state on the network delivers everything in order and timers are kept, both ends reach ESTABLISHED with
 *   keys that match and can hear each other; and meanwhile they are never both ESTABLISHED with different keys for longer than the time-out.
 * - No ephemeral private key is left once that is reached.
 *
 * What it does not find, since these laws hold without them: a channel without the collision rule, whose ends come to common keys in time all
 * the same (`spec-retries.test.ts`, "both initiate", holds the rule); and a responder that does not start afresh when no final
 * comes, because here the initiator always does (`spec-retries.test.ts` has one that does not).
 *
 * Good behaviour is one of the actions in each state, so the second law is read off the explored graph, and carried out only where that ends.
 */
import { HANDSHAKE_TIMEOUT_MS } from "./end.js";
import { type Action, type Budget, Run, SIDES } from "./run.js";

export interface Explored {
  readonly states: number;
  readonly actions: number;
  /** States with nothing left to do. */
  readonly ends: number;
  /** Longest time to common keys from any state, in milliseconds, once the network behaves. */
  readonly recoveryMsMax: number;
  /** Longest time that both were then ESTABLISHED with different keys. */
  readonly differentMsMax: number;
}

interface State {
  readonly run: Run;
  /** How it was first reached. */
  readonly before: State | undefined;
  readonly by: Action | undefined;
  /** Where good behaviour leads in one step, and in what time; undefined at rest. */
  good: { readonly key: string; readonly ms: number } | undefined;
}

/** How a state fares under good behaviour. */
interface Recovery {
  readonly ms: number;
  readonly differentMs: number;
}

/** More than good behaviour takes from any state; who has not come to rest by then is going round in a circle. */
const STEPS_MAX = 200;
/** What came last may be lost on either side of two exchanges that collide, with a pause before each new attempt. */
const RECOVERY_MS_MAX = 3 * HANDSHAKE_TIMEOUT_MS;

/** @throws {Error} with the schedule that breaks a law. */
export function explore(budget: Budget): Explored {
  const first: State = { run: Run.start(budget), before: undefined, by: undefined, good: undefined };
  const states = new Map([[first.run.key, first]]);
  let [actions, ends] = [0, 0];
  // A map is walked in the order of insertion, what is added on the way included: breadth first.
  for (const state of states.values()) {
    const { run } = state;
    within(state, () => checkNonces(run));
    if (run.actions.length === 0) ends += 1;
    const good = goodAction(run);
    for (const by of run.actions) {
      actions += 1;
      const next = within(state, () => run.take(by));
      const { key } = next;
      if (good !== undefined && show(by) === show(good)) state.good = { key, ms: next.nowMs - run.nowMs };
      if (!states.has(key)) states.set(key, { run: next, before: state, by, good: undefined });
    }
  }
  let [recoveryMsMax, differentMsMax] = [0, 0];
  for (const { ms, differentMs } of recoveriesOf(states).values()) {
    recoveryMsMax = Math.max(recoveryMsMax, ms);
    differentMsMax = Math.max(differentMsMax, differentMs);
  }
  return { states: states.size, actions, ends, recoveryMsMax, differentMsMax };
}

/** A good network delivers what was sent first; when nothing is in flight, the next timer runs out. */
function goodAction(run: Run): Action | undefined {
  const [oldest] = run.inFlight;
  if (oldest !== undefined) return { type: "deliver", frame: oldest.name };
  const side = run.timer("high") < run.timer("low") ? "high" : "low";
  return Number.isFinite(run.timer(side)) ? { type: "tick", side } : undefined;
}

function isSettled(run: Run): boolean {
  return run.isEstablished && run.hasMatchingKeys && SIDES.every((side) => !run.ends[side].seen.isInExchange);
}

/** The second law for every state. */
function recoveriesOf(states: ReadonlyMap<string, State>): ReadonlyMap<string, Recovery> {
  const recoveries = new Map<string, Recovery>();
  for (const from of states.keys()) {
    const path: { readonly key: string; readonly state: State }[] = [];
    let key = from;
    while (!recoveries.has(key)) {
      const state = states.get(key);
      if (state === undefined) throw new Error("good behaviour leads out of the explored states");
      path.push({ key, state });
      if (path.length > STEPS_MAX) throw new Error(`a circle after ${scheduleOf(state)}`);
      if (state.good === undefined) break;
      key = state.good.key;
    }
    let later = recoveries.get(key);
    for (const { key: at, state } of path.toReversed()) {
      later = within(state, () => recoveryOf(state, later));
      recoveries.set(at, later);
    }
  }
  return recoveries;
}

function recoveryOf({ run, good }: State, later: Recovery | undefined): Recovery {
  if (good === undefined || later === undefined) return finish(run);
  const isDifferent = run.isEstablished && !run.hasMatchingKeys;
  const differentMs = isDifferent ? good.ms + later.differentMs : 0;
  if (differentMs > HANDSHAKE_TIMEOUT_MS) throw new Error(`ESTABLISHED with different keys for ${differentMs} ms`);
  const ms = isSettled(run) ? 0 : good.ms + later.ms;
  if (ms > RECOVERY_MS_MAX) throw new Error(`common keys only after ${ms} ms`);
  return { ms, differentMs };
}

/** At rest both have to hear each other; if nobody has wanted a channel so far, somebody does now. */
function finish(start: Run): Recovery {
  let run = start;
  for (let step = 0; !isSettled(run) || run.inFlight.length > 0; step++) {
    if (step > STEPS_MAX) throw new Error("no common keys");
    const action = goodAction(run);
    if (action === undefined && run.isWanted) throw new Error("at rest without common keys");
    run = run.take(action ?? { type: "initiate", side: "low" });
  }
  const ms = run.nowMs - start.nowMs;
  for (const side of SIDES) {
    if (run.ends[side].seen.liveShares > 0) throw new Error(`${side} still has an ephemeral private key`);
  }
  for (const [side, peer] of [
    ["low", "high"],
    ["high", "low"],
  ] as const) {
    const before = run.ends[peer].seen.recordsOpened;
    run = run.take({ type: "seal", side });
    for (const { name } of run.inFlight) run = run.take({ type: "deliver", frame: name });
    if (run.ends[peer].seen.recordsOpened === before) throw new Error(`${peer} cannot open what ${side} seals`);
  }
  checkNonces(run);
  return { ms, differentMs: 0 };
}

function checkNonces(run: Run): void {
  for (const side of SIDES) {
    if (run.ends[side].seen.repeatedNonces > 0) throw new Error(`${side} sealed twice with one key and nonce`);
  }
}

/** A failure names the schedule, by which anyone can repeat it. */
function within<T>(state: State, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : "failed"} after ${scheduleOf(state)}`, {
      cause: error,
    });
  }
}

function scheduleOf(state: State): string {
  const actions: string[] = [];
  for (let at: State | undefined = state; at?.by !== undefined; at = at.before) actions.unshift(show(at.by));
  return actions.join(", ");
}

function show(action: Action): string {
  return `${action.type} ${"side" in action ? action.side : action.frame}`;
}
