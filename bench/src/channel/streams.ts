/** Goals T1 to T5 and R1: streams of entries, and small encrypted round trips. */
import type { Identity } from "../contestants/identity.js";
import type { ContestantName } from "../contestants/index.js";
import { type Measure, type Section, type Verdict, verdict } from "../measure/report.js";
import { Rounds } from "../measure/rounds.js";
import { Pair } from "./pair.js";
import type { RoundTrips, StreamShape } from "./protocol.js";

const MB = 1e6;
const FRAME_256K = 256 * 1024;
/** About 64 KiB with the head, the header and the trailer of a frame, so that it fits any connection. */
const FRAME_64K = 63 * 1024;
const RECEIVERS = 4;
/** Thousands of small frames: what runs is compiled before anything is measured. */
const WARM_UP: StreamShape = { submit: "batch", itemBytes: 256, batchBytes: 4096, totalBytes: 16 * MB };

const STREAMERS = [
  "sealane",
  "sealane, digest bound",
  "sealane, noble suite",
  "TCP",
  "TLS",
  "TLS, simple",
  "secret-stream",
  "libp2p-noise",
] as const satisfies readonly ContestantName[];
type Streamer = (typeof STREAMERS)[number];

/** How much work a round is, and how many there are. */
export interface Effort {
  readonly rounds: number;
  /** Of each stream, in MB. */
  readonly megabytes: number;
  readonly roundTrips: number;
}

export async function benchStreams(identities: readonly Identity[], effort: Effort): Promise<Section> {
  const pairs = new Map<Streamer, Pair>();
  try {
    for (const name of STREAMERS) pairs.set(name, await warmPair(name, identities.slice(0, 2)));
    const measures: Measure[] = [];
    const verdicts: Verdict[] = [];
    for (const goal of streamGoals(effort.megabytes)) {
      const rounds = await runStreams(pairs, goal, effort.rounds);
      measures.push(...measuresOf(goal.what, "CPU-s/GB", rounds));
      for (const [peer, atMost] of goal.against) {
        verdicts.push(verdict(goal.id, goal.what, peer, rounds.ratio("sealane", peer), atMost));
      }
      for (const peer of ["secret-stream", "libp2p-noise"] as const) {
        verdicts.push(verdict("T5", goal.what, peer, rounds.ratio("sealane", peer), 1));
      }
    }
    for (const flush of ["turn", "request"] as const) {
      const what = flush === "turn" ? "100 B round trip, one flush a turn" : "100 B round trip, a record each";
      const trips: RoundTrips = { count: effort.roundTrips, inFlight: 32, itemBytes: 100, flush };
      const names = STREAMERS.filter(
        (name) =>
          !["TLS, simple", "sealane, digest bound", flush === "turn" ? "" : "sealane, noble suite"].includes(name),
      );
      const rounds = await Rounds.run(names, effort.rounds, (name) => pairOf(pairs, name).roundTrips(trips));
      measures.push(...measuresOf(what, "CPU us", rounds));
      if (flush === "turn") verdicts.push(verdict("R1", what, "TLS", rounds.ratio("sealane", "TLS"), 1.8));
    }
    return { title: "Streams and round trips", measures, verdicts, remarks: [] };
  } finally {
    for (const pair of pairs.values()) await pair.close();
  }
}

/** T4: one source, four sinks, five processes. */
export async function benchReceivers(identities: readonly Identity[], effort: Effort): Promise<Section> {
  const names = ["sealane", "TCP", "TLS", "secret-stream", "libp2p-noise"] as const;
  const pairs = new Map<(typeof names)[number], Pair>();
  try {
    for (const name of names) pairs.set(name, await warmPair(name, identities.slice(0, 1 + RECEIVERS)));
    const what = `${RECEIVERS} receivers, 256 B entries, 256 KiB frames`;
    const shape: StreamShape = {
      submit: "batch",
      itemBytes: 256,
      batchBytes: FRAME_256K,
      totalBytes: (effort.megabytes * MB) / RECEIVERS,
    };
    const rounds = await Rounds.run(names, effort.rounds, (name) => pairOf(pairs, name).stream(shape));
    return {
      title: "Several receivers",
      measures: measuresOf(what, "CPU-s/GB", rounds),
      verdicts: [
        verdict("T4", what, "TLS", rounds.ratio("sealane", "TLS"), 0.75),
        verdict("T5", what, "secret-stream", rounds.ratio("sealane", "secret-stream"), 1),
        verdict("T5", what, "libp2p-noise", rounds.ratio("sealane", "libp2p-noise"), 1),
      ],
      remarks: [],
    };
  } finally {
    for (const pair of pairs.values()) await pair.close();
  }
}

async function warmPair(name: ContestantName, identities: readonly Identity[]): Promise<Pair> {
  const pair = await Pair.open(name, identities);
  await pair.stream(WARM_UP);
  return pair;
}

interface StreamGoal {
  readonly id: string;
  readonly what: string;
  readonly shape: StreamShape;
  readonly against: readonly (readonly [Streamer, number])[];
  /** Who cannot be expected to finish in time does less of it. */
  readonly share: Partial<Record<Streamer, number>>;
  readonly leftOut?: readonly Streamer[];
}

function streamGoals(megabytes: number): StreamGoal[] {
  const batch = (itemBytes: number, batchBytes: number): StreamShape => ({
    submit: "batch",
    itemBytes,
    batchBytes,
    totalBytes: megabytes * MB,
  });
  const share = { "TLS, simple": 0.1, "secret-stream": 0.4, "libp2p-noise": 0.1 };
  const leftOut = ["sealane, noble suite", "TLS, simple"] as const;
  const t1 = [
    ["TLS", 0.55],
    ["TCP", 1.25],
  ] as const;
  return [
    { id: "T1", what: "256 B entries, 256 KiB frames", shape: batch(256, FRAME_256K), against: t1, share },
    { id: "T1", what: "16 KiB entries, 256 KiB frames", shape: batch(16_380, FRAME_256K), against: t1, share, leftOut },
    {
      id: "T2",
      what: "256 B entries, 64 KiB frames",
      shape: batch(256, FRAME_64K),
      against: [["TLS", 0.65]],
      share,
      leftOut,
    },
    {
      id: "T2",
      what: "16 KiB entries, 64 KiB frames",
      shape: batch(16_000, FRAME_64K),
      against: [["TLS", 0.65]],
      share,
      leftOut,
    },
    {
      id: "T3",
      what: "256 B entries, one at a time",
      shape: { ...batch(256, FRAME_256K), submit: "single" },
      against: [["TLS, simple", 0.5]],
      share,
      leftOut: ["sealane, digest bound", "sealane, noble suite"],
    },
  ];
}

function runStreams(
  pairs: ReadonlyMap<Streamer, Pair>,
  { shape, share, leftOut = [] }: StreamGoal,
  rounds: number,
): Promise<Rounds<Streamer>> {
  const names = STREAMERS.filter((name) => !leftOut.includes(name));
  return Rounds.run(names, rounds, (name) =>
    pairOf(pairs, name).stream({ ...shape, totalBytes: shape.totalBytes * (share[name] ?? 1) }),
  );
}

function pairOf<Name extends string>(pairs: ReadonlyMap<Name, Pair>, name: Name): Pair {
  const pair = pairs.get(name);
  if (pair === undefined) throw new RangeError(`${name} does not take part`);
  return pair;
}

export function measuresOf<Name extends string>(what: string, unit: string, rounds: Rounds<Name>): Measure[] {
  return rounds.names.map((contestant) => ({ what, contestant, unit, value: rounds.spread(contestant) }));
}
