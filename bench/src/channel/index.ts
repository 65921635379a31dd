/** `bench:channel`: the goals of a channel and its transport, in four parts that can be run alone. */
import { makeIdentities } from "../contestants/identity.js";
import type { Section } from "../measure/report.js";
import { benchHandshakes } from "./handshakes.js";
import { benchHeaders } from "./headers.js";
import { benchReceivers, benchStreams } from "./streams.js";

const IDENTITIES = 5;

const QUICK_STREAMS = { rounds: 5, megabytes: 64, roundTrips: 16_000 };
const FULL_STREAMS = { rounds: 15, megabytes: 200, roundTrips: 40_000 };

export const CHANNEL_PARTS = {
  headers: (full: boolean): Promise<Section> =>
    benchHeaders(makeIdentities(2), full ? { rounds: 15, count: 40_000 } : { rounds: 7, count: 10_000 }),
  streams: (full: boolean): Promise<Section> => benchStreams(makeIdentities(2), full ? FULL_STREAMS : QUICK_STREAMS),
  receivers: (full: boolean): Promise<Section> =>
    benchReceivers(makeIdentities(IDENTITIES), full ? FULL_STREAMS : QUICK_STREAMS),
  handshakes: (full: boolean): Promise<Section> =>
    benchHandshakes(
      makeIdentities(2),
      full ? { rounds: 11, count: 40, watched: 41 } : { rounds: 5, count: 12, watched: 15 },
    ),
} as const;
