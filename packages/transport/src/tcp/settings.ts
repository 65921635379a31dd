/** The options of a TCP transport with their defaults, checked once. */
import type { NodeId } from "@sealane/wire";
import { BUFFER_BYTES_MAX, FRAME_BYTES_MAX, UNPROVEN_FRAME_BYTES_MAX } from "../limits.js";
import type { FrameHandler, LinkObserver } from "../transport.js";
import { type BackoffOptions, DIAL_BACKOFF } from "./backoff.js";
import { LOBBY_LIMITS, type LobbyLimits } from "./lobby.js";

export interface TcpOptions {
  readonly self: NodeId;
  /** Port 0 takes a free one; see `TcpTransport.address`. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly onFrame: FrameHandler;
  readonly onLink?: LinkObserver;
  /** Bound on a whole frame, both ways, on an authentic connection. Default 64 MiB. */
  readonly frameBytesMax?: number;
  /**
   * Bound on a whole frame, both ways, before that. Default 64 KiB. Peers that do not know the link frame (version 1 of the protocol) never
   * confirm; to send them larger frames set this to `frameBytesMax`, and `keepaliveMs` to 0.
   */
  readonly unprovenFrameBytesMax?: number;
  /** Bound on outgoing bytes held per peer. Default 16 MiB. A frame that finds the buffer empty always fits. */
  readonly bufferBytesMax?: number;
  /** Uniform in [0, 1), for the jitter between attempts to dial. Default `Math.random`. */
  readonly random?: () => number;
  /** Default 100 ms to 5 s. */
  readonly dialBackoff?: BackoffOptions;
  /** An attempt to connect is given up after this. Default 5 s. */
  readonly dialTimeoutMs?: number;
  /**
   * A connection idle for this long carries a link frame, and one whose peer did so before is closed after five such periods of silence.
   * The same on all nodes. Default 1 s. 0 turns link frames off.
   */
  readonly keepaliveMs?: number;
  /** How long `close` and `setPeer(id, undefined)` try to send what is queued. Default 1 s. */
  readonly closeTimeoutMs?: number;
  /** Bounds on accepted connections that have proven nothing. Default 64, and 4 per claimed id. */
  readonly unprovenConnections?: LobbyLimits;
}

export interface TcpSettings {
  readonly self: NodeId;
  readonly onFrame: FrameHandler;
  readonly frameBytesMax: number;
  readonly unprovenFrameBytesMax: number;
  readonly bufferBytesMax: number;
  readonly random: () => number;
  readonly dialBackoff: BackoffOptions;
  readonly dialTimeoutMs: number;
  readonly linkFrames: boolean;
  readonly tickMs: number;
  readonly closeTimeoutMs: number;
  readonly unprovenConnections: LobbyLimits;
}

const TICK_MS = 1000;
const DIAL_TIMEOUT_MS = 5000;
const CLOSE_TIMEOUT_MS = 1000;

/** @throws {RangeError} when a bound makes no sense. */
export function tcpSettings(options: TcpOptions): TcpSettings {
  const keepaliveMs = options.keepaliveMs ?? TICK_MS;
  const frameBytesMax = options.frameBytesMax ?? FRAME_BYTES_MAX;
  const settings: TcpSettings = {
    self: options.self,
    onFrame: options.onFrame,
    frameBytesMax,
    unprovenFrameBytesMax: Math.min(options.unprovenFrameBytesMax ?? UNPROVEN_FRAME_BYTES_MAX, frameBytesMax),
    bufferBytesMax: options.bufferBytesMax ?? BUFFER_BYTES_MAX,
    random: options.random ?? Math.random,
    dialBackoff: options.dialBackoff ?? DIAL_BACKOFF,
    dialTimeoutMs: options.dialTimeoutMs ?? DIAL_TIMEOUT_MS,
    linkFrames: keepaliveMs > 0,
    tickMs: keepaliveMs > 0 ? keepaliveMs : TICK_MS,
    closeTimeoutMs: options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS,
    unprovenConnections: options.unprovenConnections ?? LOBBY_LIMITS,
  };
  const positive = [settings.frameBytesMax, settings.bufferBytesMax, settings.dialTimeoutMs, settings.closeTimeoutMs];
  const { total, perPeer } = settings.unprovenConnections;
  if ([...positive, total, perPeer].some((bound) => !(bound > 0)) || !(keepaliveMs >= 0)) {
    throw new RangeError("every bound of a transport is greater than 0");
  }
  return settings;
}
