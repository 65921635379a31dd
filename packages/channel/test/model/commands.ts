/**
 * The commands of the model: what owners, a bad network, crashes and an attacker without keys can do to two channels. The attacker holds every
 * frame ever sent and may deliver it again, changed or not, to either end.
 *
 * In version 1 the salt is left as it is: no signature covers it, so a changed one is noticed by the first record only (`spec-v1.test.ts`).
 */
import fc from "fast-check";
import { flip, INIT_V1, type Network, other, type Side } from "../harness.js";
import { DELAY_MS_MAX, type Run } from "./oracle.js";

/** The model proper is empty: what has to hold is an invariant of the run, not a prediction of its state. */
type Model = Record<string, never>;
type Command = fc.Command<Model, Run>;

const SALT_BYTES = 32;
const side = fc.constantFrom<Side>("low", "high");

function command(name: string, act: (run: Run) => void): Command {
  return {
    check: () => true,
    run: (_model, run) => {
      act(run);
      run.check();
    },
    toString: () => name,
  };
}

const networks: Readonly<Record<string, (seed: number) => Network>> = {
  good: () => () => [1],
  cut: () => () => [],
  slow: () => () => [DELAY_MS_MAX],
  bad: (seed) => {
    const random = randomFrom(seed);
    const delayMs = (): number => 1 + Math.floor(random() * (DELAY_MS_MAX - 1));
    return () => (random() < 0.25 ? [] : random() < 0.2 ? [delayMs(), delayMs()] : [delayMs()]);
  },
};

const send = fc
  .record({ at: side, encrypted: fc.boolean() })
  .map(({ at, encrypted }) =>
    command(`send(${at}, ${encrypted ? "encrypted" : "consensus"})`, (run) => run.send(at, encrypted)),
  );
const initiate = side.map((at) => command(`initiate(${at})`, (run) => run.pair.initiate(at)));
const restart = side.map((at) => command(`restart(${at})`, (run) => run.restart(at)));
const close = side.map((at) => command(`close(${at})`, (run) => run.pair.channel(at).close()));
const wait = fc
  .oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 300, max: 3_000 }))
  .map((ms) => command(`wait(${ms})`, (run) => run.wait(ms)));
const network = fc
  .record({ name: fc.constantFrom(...Object.keys(networks)), seed: fc.integer() })
  .map(({ name, seed }) =>
    command(`network(${name}, ${seed})`, (run) => {
      run.pair.network = networks[name]?.(seed) ?? (() => [1]);
    }),
  );
const replay = fc
  .record({ pick: fc.nat(), reflected: fc.boolean(), bit: fc.option(fc.nat(), { nil: undefined }) })
  .map(({ pick, reflected, bit }) =>
    command(`replay(${pick}, ${reflected ? "reflected" : "forward"}, ${bit ?? "unchanged"})`, (run) => {
      const { sent } = run.pair;
      const frame = sent[pick % Math.max(1, sent.length)];
      if (frame === undefined) return;
      const saltBytes = frame.kind === INIT_V1 ? SALT_BYTES : 0;
      const bits = 8 * (frame.payload.length - saltBytes);
      const payload = bit === undefined ? frame.payload : flip(frame.payload, bit % bits);
      run.pair.inject({ ...frame, from: reflected ? other(frame.from) : frame.from, payload });
      run.pair.run(0);
    }),
  );

/** Lists of commands; sends come most often. */
export const commands = (maxCommands: number): fc.Arbitrary<Iterable<Command>> =>
  fc.commands([send, send, send, wait, wait, initiate, restart, close, network, network, replay, replay], {
    maxCommands,
    size: "max",
  });

/** One run: the commands, then liveness. */
export function play(run: Run, list: Iterable<Command>): void {
  fc.modelRun(() => ({ model: {}, real: run }), list);
  run.checkLiveness();
}

/** xorshift32: enough to spread faults evenly, and a failing list repeats from its seed. */
function randomFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
