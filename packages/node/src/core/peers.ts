/**
 * The other nodes: where they are, and the channel to each. A peer exists here only while the service trusts it or still needs it, so nobody
 * else gets a channel, a byte or a place in a table; but for `admit`.
 */
import { Channel, type ChannelSelf } from "@sealane/channel";
import { EndorsementCache } from "@sealane/crypto";
import {
  type ChannelState,
  FRAME_CONSENSUS,
  type FRAME_FORWARDED,
  type FrameType,
  type NetworkNode,
  type NodeId,
} from "@sealane/wire";
import { nodeCurves } from "./identity.js";
import type { OwnCertificate } from "./own-certificate.js";
import type { CoreConfig, NodeEvent, Output } from "./types.js";

/** A channel that was idle this many election time-outs is closed (channel-v2 §6). */
const IDLE_ELECTION_TIMEOUTS = 4;
/**
 * A peer that is gone from the service keeps its channel this many election time-outs, so that what was sent last arrives: to a removed node
 * that it is free to go, from a removed primary who its successor is.
 */
const LEAVING_ELECTION_TIMEOUTS = 1;

/** Nodes without a record here that may have a channel at once: each may cost signature checks, at the rate of a peer. */
const STRANGERS_MAX = 4;

/** The address of a peer without a record. */
const STRANGER = "";

interface Peer {
  readonly channel: Channel;
  /** Empty for one that has no record here. */
  address: string;
  /** When its channel wants a tick. */
  waitUntilMs: number;
  /** When its channel is closed; `undefined` while it takes part. */
  leavesMs: number | undefined;
  /** The state last shown to observers. */
  shown: string;
}

export type PeerOutput =
  | Extract<Output, { type: "transmit" | "peer" | "event" }>
  /** A header that waited for keys is sealed now; its entries are still to be attached. */
  | { readonly type: "sealed-header"; readonly to: NodeId; readonly header: Uint8Array; readonly trailer: Uint8Array };

export class Peers {
  readonly #config: CoreConfig;
  readonly #self: ChannelSelf;
  readonly #peers = new Map<NodeId, Peer>();
  readonly #cache = new EndorsementCache();
  readonly #outputs: PeerOutput[] = [];

  constructor(config: CoreConfig, certificate: OwnCertificate) {
    const { id, keyPair } = config;
    this.#config = config;
    this.#self = {
      id,
      keyPair,
      get certificate() {
        return certificate.der;
      },
    };
  }

  pollOutput(): PeerOutput | undefined {
    return this.#outputs.shift();
  }

  /** Follows the service's records: peers are exactly the nodes that take part, other than this one. */
  update(takingPart: readonly NetworkNode[], nowMs: number): void {
    const others = takingPart.filter(({ id }) => id !== this.#config.id);
    const kept = new Set(others.map(({ id }) => id));
    const leavesMs = nowMs + LEAVING_ELECTION_TIMEOUTS * this.#config.timing.electionTimeoutMs;
    for (const [id, peer] of this.#peers) peer.leavesMs = kept.has(id) ? undefined : (peer.leavesMs ?? leavesMs);
    for (const { id, nodeAddress } of others) {
      const known = this.#peers.get(id);
      if (known?.address === nodeAddress) continue;
      if (known === undefined) {
        const channel = this.#openChannel(id);
        const waitUntilMs = Number.POSITIVE_INFINITY;
        this.#peers.set(id, { channel, address: nodeAddress, waitUntilMs, leavesMs: undefined, shown: "" });
      } else known.address = nodeAddress;
      this.#outputs.push({ type: "peer", id, address: nodeAddress });
    }
  }

  /** Begins a key exchange with every peer: a node that has just come up has no keys that its peers could still use. */
  initiateAll(nowMs: number): void {
    for (const [id, { channel }] of this.#peers) {
      channel.initiate(nowMs);
      this.#drain(id, nowMs);
    }
  }

  /**
   * Gives a node that has no record here a channel for a while: a node that is behind does not know those that came later, and one of them
   * may be the primary it needs. What it shows is still believed only with a certificate that the service endorsed.
   * @returns whether there was room.
   */
  admit(id: NodeId, nowMs: number): boolean {
    const strangers = [...this.#peers.values()].filter(({ address }) => address === STRANGER).length;
    if (strangers >= STRANGERS_MAX) return false;
    const channel = this.#openChannel(id);
    const leavesMs = nowMs + LEAVING_ELECTION_TIMEOUTS * this.#config.timing.electionTimeoutMs;
    this.#peers.set(id, { channel, address: STRANGER, waitUntilMs: Number.POSITIVE_INFINITY, leavesMs, shown: "" });
    return true;
  }

  has(id: NodeId): boolean {
    return this.#peers.has(id);
  }

  /** Whether a peer is gone from the service and only waits for what was sent last. */
  isLeaving(id: NodeId): boolean {
    const peer = this.#peers.get(id);
    return peer?.leavesMs !== undefined && peer.address !== STRANGER;
  }

  /** @returns the record trailer for a header, or undefined when there are no keys yet (it is queued) or no such peer. */
  seal(to: NodeId, header: Uint8Array, nowMs: number): Uint8Array | undefined {
    const trailer = this.#peers.get(to)?.channel.seal(header, nowMs);
    this.#drain(to, nowMs);
    return trailer;
  }

  /** Encrypts and sends a forwarded message. @returns false when it was refused: no such peer, or its queue is full. */
  sendEncrypted(to: NodeId, frameType: FrameType, header: Uint8Array, plaintext: Uint8Array, nowMs: number): boolean {
    const record = this.#peers.get(to)?.channel.sealEncrypted(header, plaintext, nowMs) ?? "refused";
    if (record !== "refused" && record !== "queued") {
      this.#outputs.push({ type: "transmit", to, frameType, parts: [header, record] });
    }
    this.#drain(to, nowMs);
    return record !== "refused";
  }

  /** @returns whether the frame proves that the peer is there now. */
  handleExchange(from: NodeId, payload: Uint8Array, nowMs: number): boolean {
    const isProof = this.#peers.get(from)?.channel.handleFrame(payload, nowMs) ?? false;
    this.#drain(from, nowMs);
    return isProof;
  }

  /** Opens a record. @returns undefined when it is refused. */
  open(
    from: NodeId,
    frameType: typeof FRAME_CONSENSUS | typeof FRAME_FORWARDED,
    headerBytes: number,
    payload: Uint8Array,
    nowMs: number,
  ) {
    const peer = this.#peers.get(from);
    const opened = peer?.channel.open(frameType, headerBytes, payload, nowMs);
    if (peer?.address === STRANGER && opened !== undefined) {
      peer.leavesMs = nowMs + LEAVING_ELECTION_TIMEOUTS * this.#config.timing.electionTimeoutMs; // its entries are still coming
    }
    this.#drain(from, nowMs);
    return opened;
  }

  handleTick(nowMs: number): void {
    const idleMs = IDLE_ELECTION_TIMEOUTS * this.#config.timing.electionTimeoutMs;
    for (const [id, { channel, leavesMs }] of this.#peers) {
      if (leavesMs !== undefined && leavesMs <= nowMs) {
        this.#remove(id, channel);
        continue;
      }
      channel.handleTick(nowMs);
      if (nowMs - (channel.lastActivityMs ?? nowMs) > idleMs) channel.close();
      this.#drain(id, nowMs);
    }
  }

  get waitUntilMs(): number {
    return Math.min(
      ...[...this.#peers.values()].map(({ waitUntilMs, leavesMs = Number.POSITIVE_INFINITY }) =>
        Math.min(waitUntilMs, leavesMs),
      ),
    );
  }

  states(nowMs: number): ChannelState[] {
    return [...this.#peers.values()].map(({ channel }) => channel.describe(nowMs));
  }

  #remove(id: NodeId, channel: Channel): void {
    channel.close();
    this.#peers.delete(id);
    this.#outputs.push({ type: "peer", id, address: undefined });
  }

  #openChannel(peer: NodeId): Channel {
    const { suite, service } = this.#config;
    return new Channel({
      suite,
      version: 2,
      self: this.#self,
      peer,
      trust: {
        serviceCertificate: service.certificate,
        trusted: (node) => this.#peers.has(node),
        curves: nodeCurves(service.keyPair.publicKey.curve),
      },
      cache: this.#cache,
    });
  }

  #drain(id: NodeId, nowMs: number): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    let output = peer.channel.pollOutput();
    for (; output.type !== "wait" && output.type !== "idle"; output = peer.channel.pollOutput()) {
      switch (output.type) {
        case "transmit":
          this.#transmit(id, output.frameType, output.parts);
          break;
        case "rejected":
          this.#observe({ type: "rejected", peer: id, code: output.code, atMs: nowMs });
          break;
        case "exchange": {
          const direction = output.step.endsWith("sent") ? "sent" : "received";
          this.#observe({ type: "exchange", peer: id, step: output.step, direction, atMs: nowMs });
          break;
        }
        case "established": // shown as a change of state
          break;
        default:
          output satisfies never;
      }
    }
    peer.waitUntilMs = output.type === "wait" ? output.untilMs : Number.POSITIVE_INFINITY;
    this.#observeState(id, peer, nowMs);
  }

  #transmit(to: NodeId, frameType: FrameType, parts: readonly Uint8Array[]): void {
    const [header, trailer] = parts;
    if (frameType === FRAME_CONSENSUS && header !== undefined && trailer !== undefined) {
      this.#outputs.push({ type: "sealed-header", to, header, trailer });
    } else {
      this.#outputs.push({ type: "transmit", to, frameType, parts });
    }
  }

  #observeState(id: NodeId, peer: Peer, nowMs: number): void {
    const { state, isOpen: open } = peer.channel;
    const shown = `${state} ${open}`;
    if (shown === peer.shown) return;
    peer.shown = shown;
    this.#observe({ type: "channel", peer: id, state, open, atMs: nowMs });
  }

  #observe(event: NodeEvent): void {
    if (this.#config.observe) this.#outputs.push({ type: "event", event });
  }
}
