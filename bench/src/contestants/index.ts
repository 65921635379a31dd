/** The contestants by name. */
import type { Contestant } from "./contestant.js";
import { libp2pNoise } from "./libp2p-noise.js";
import { tlsBest, tlsResumed, tlsSimple, tlsX25519 } from "./mutual-tls.js";
import { rawTcp } from "./raw-tcp.js";
import { sealane, sealaneBound, sealaneNoble, sealaneReconnect } from "./sealane.js";
import { secretStream } from "./secret-stream.js";

export const CONTESTANTS = {
  sealane,
  "sealane, digest bound": sealaneBound,
  "sealane, noble suite": sealaneNoble,
  "sealane, known certificate": sealaneReconnect,
  TCP: rawTcp,
  TLS: tlsBest,
  "TLS, simple": tlsSimple,
  "TLS, X25519": tlsX25519,
  "TLS, resumed": tlsResumed,
  "libp2p-noise": libp2pNoise,
  "secret-stream": secretStream,
} satisfies Readonly<Record<string, Contestant>>;

export type ContestantName = keyof typeof CONTESTANTS;
