/** Goals H1 to H3: what it costs to come to keys, the first time and again, and how long it holds up the event loop. */
import type { Identity } from "../contestants/identity.js";
import type { ContestantName } from "../contestants/index.js";
import { type Section, verdict } from "../measure/report.js";
import { Rounds } from "../measure/rounds.js";
import { ShakerPair } from "./pair.js";
import { measuresOf } from "./streams.js";

const SHAKERS = [
  "sealane",
  "sealane, known certificate",
  "sealane, noble suite",
  "TLS",
  "TLS, X25519",
  "TLS, resumed",
  "secret-stream",
  "libp2p-noise",
] as const satisfies readonly ContestantName[];
type Shaker = (typeof SHAKERS)[number];

export interface HandshakeEffort {
  readonly rounds: number;
  /** Handshakes in a row. */
  readonly count: number;
  /** Handshakes whose longest turn is looked at. */
  readonly watched: number;
}

/** These are worth a tenth of the handshakes: they take several times as long. */
const SLOW: readonly Shaker[] = ["sealane, noble suite"];

export async function benchHandshakes(identities: readonly Identity[], effort: HandshakeEffort): Promise<Section> {
  const pairs = new Map<Shaker, ShakerPair>();
  const pairOf = (name: Shaker): ShakerPair => {
    const pair = pairs.get(name);
    if (pair === undefined) throw new RangeError(`${name} does not take part`);
    return pair;
  };
  try {
    for (const name of SHAKERS) pairs.set(name, await ShakerPair.open(name, identities.slice(0, 2)));
    const cost = await Rounds.run(SHAKERS, effort.rounds, (name) =>
      pairOf(name).shake(SLOW.includes(name) ? Math.ceil(effort.count / 10) : effort.count),
    );
    const watched = SHAKERS.filter((name) => !SLOW.includes(name));
    const stall = await Rounds.run(watched, effort.watched, (name) => pairOf(name).longestTurn());
    const [what, whatStall] = ["handshake, both sides", "longest turn in a handshake, worse side"];
    return {
      title: "Handshakes",
      measures: [...measuresOf(what, "CPU ms", cost), ...measuresOf(whatStall, "ms", stall)],
      verdicts: [
        verdict("H1", "first handshake", "TLS", cost.ratio("sealane", "TLS"), 0.9),
        verdict("H2", "reconnect", "TLS", cost.ratio("sealane, known certificate", "TLS"), 0.8),
        verdict("H3", whatStall, "(ms)", stall.spread("sealane"), 2.5),
      ],
      remarks: [
        "TLS is P-384 throughout, as our channel is. X25519 and resumption are shown beside it: other strengths, other promises.",
        "secret-stream and libp2p-noise use X25519 and Ed25519 without certificates.",
      ],
    };
  } finally {
    for (const pair of pairs.values()) await pair.close();
  }
}
