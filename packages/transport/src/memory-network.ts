/**
 * A network in memory, for simulations and tests: pure, deterministic, in virtual time. It draws chance from a function it is given and
 * delivers only inside `advance`, so one seed gives one run.
 *
 * Each ordered pair of nodes has a link that keeps order, like one TCP connection, unless `reorder` says otherwise. Closing and removing
 * let arrive what was sent before. A cut or a crash ends both links of a pair the way a broken connection does: what is in flight is
 * lost. After either, what was proven has to be proven again.
 */
import { concatBytes, FRAME_HEADER_BYTES, type FrameType, type NodeId } from "@sealane/wire";
import { DueQueue } from "./due-queue.js";
import { TransportError } from "./errors.js";
import { BUFFER_BYTES_MAX, FRAME_BYTES_MAX, UNPROVEN_FRAME_BYTES_MAX } from "./limits.js";
import type { CloseReason, FrameHandler, LinkObserver, LinkState, Transport } from "./transport.js";

/** Probabilities are per frame, from 0 to 1. Nothing is wrong by default and frames arrive in the millisecond after they were sent. */
export interface NetworkFaults {
  /** A frame is lost. */
  readonly loss: number;
  /** A frame arrives twice; the second copy draws its own delay. */
  readonly duplicate: number;
  /** Uniform, [least, most]. */
  readonly delayMs: readonly [min: number, max: number];
  /** A frame is held back by up to `reorderMs` more, so that later ones overtake it. */
  readonly reorder: number;
  readonly reorderMs: number;
}

export interface InMemoryNetworkOptions {
  /** Uniform in [0, 1), seeded by the caller: the same sequence gives the same run. */
  readonly random: () => number;
  /**
   * "assumed": every node on the network knows every other until `setPeer(id, undefined)`. "required": as with TCP, one of the two must
   * have been given the other's address (any text).
   */
  readonly addresses?: "assumed" | "required";
  /** Overwrites a payload after the handler returned, so that a handler that kept it is found here and not under load. Default true. */
  readonly scrubPayloads?: boolean;
}

export interface InMemoryTransportOptions {
  readonly self: NodeId;
  readonly onFrame: FrameHandler;
  readonly onLink?: LinkObserver;
  readonly frameBytesMax?: number;
  readonly unprovenFrameBytesMax?: number;
  readonly bufferBytesMax?: number;
}

export interface InMemoryNetwork {
  /** @throws {TransportError} `id-in-use` while another open transport has this id. After its `close` the id is free: a restart. */
  transport(options: InMemoryTransportOptions): Transport;
  /** Changes the faults named, from the next frame on. @throws {RangeError} for a probability outside [0, 1] or a bad delay. */
  setFaults(faults: Partial<NetworkFaults>): void;
  /** Ends a node as a loss of power does: what it sent and what is on the way to it is lost. Its transport is closed. */
  crash(id: NodeId): void;
  /** Nothing passes from `a` to `b` any more, nor back unless "one-way". */
  cut(a: NodeId, b: NodeId, direction?: "both" | "one-way"): void;
  /** Undoes `cut` for a pair (or one direction), or, without arguments, every cut and the partition. */
  heal(a?: NodeId, b?: NodeId, direction?: "both" | "one-way"): void;
  /** Cuts every link between two groups, in place of any earlier partition. Nodes in no group keep their links. `[]` undoes it. */
  partition(groups: readonly (readonly NodeId[])[]): void;
  /**
   * Moves time on and delivers what is due, in order of time. At most 100,000 frames per call, so that nodes that answer each other
   * without delay cannot hang the caller: when `nextDueMs <= nowMs` afterwards, call again.
   * @returns Frames delivered.
   * @throws {RangeError} when time would go back. What a handler throws comes out of here too.
   */
  advance(nowMs: number): number;
  readonly nowMs: number;
  /** When the next frame arrives; `undefined` when none is in flight. */
  readonly nextDueMs: number | undefined;
}

export const DELIVERIES_PER_ADVANCE_MAX = 100_000;

/**
 * @example
 * const network = inMemoryNetwork({ random });
 * const alice = network.transport({ self: aliceId, onFrame: () => "unproven" });
 * alice.send(bobId, FRAME_CONSENSUS, [utf8("hello")]);
 * network.advance(1);
 */
export function inMemoryNetwork(options: InMemoryNetworkOptions): InMemoryNetwork {
  return new MemoryNetwork(options);
}

/** One life of a link, as one TCP connection is. Frames belong to the one they were sent in. */
interface Session {
  /** What is in flight is lost. */
  broken: boolean;
  /** The receiver has called one of its frames authentic. */
  authentic: boolean;
}

interface InFlight {
  readonly link: DirectedLink;
  readonly session: Session;
  readonly type: FrameType;
  readonly payload: Uint8Array;
  /** Bytes to give back to the link's buffer; 0 for a duplicate. */
  readonly countedBytes: number;
}

/** Everything known about one direction of a pair. */
interface DirectedLink {
  readonly from: NodeId;
  readonly to: NodeId;
  session: Session;
  /** Delivery keeps order: nothing that is not reordered is due before this. */
  lastDueMs: number;
  bufferedBytes: number;
  framesSent: number;
  framesReceived: number;
  bufferFull: number;
  noPath: number;
  tooLarge: number;
}

class MemoryNetwork implements InMemoryNetwork {
  readonly #random: () => number;
  readonly #addresses: "assumed" | "required";
  readonly #scrub: boolean;
  readonly #endpoints = new Map<NodeId, MemoryEndpoint>();
  readonly #links = new Map<string, DirectedLink>();
  readonly #inFlight = new DueQueue<InFlight>();
  readonly #cuts = new Set<string>();
  #groups = new Map<NodeId, number>();
  #faults: NetworkFaults = { loss: 0, duplicate: 0, delayMs: [1, 1], reorder: 0, reorderMs: 10 };
  #nowMs = 0;
  #advancing = false;

  constructor(options: InMemoryNetworkOptions) {
    this.#random = options.random;
    this.#addresses = options.addresses ?? "assumed";
    this.#scrub = options.scrubPayloads ?? true;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get nextDueMs(): number | undefined {
    return this.#inFlight.nextDueMs;
  }

  transport(options: InMemoryTransportOptions): Transport {
    if (this.#endpoints.has(options.self)) {
      throw new TransportError("id-in-use", `the network already has an open transport for ${options.self}`);
    }
    const endpoint = new MemoryEndpoint(this, options);
    this.#endpoints.set(options.self, endpoint);
    return endpoint;
  }

  setFaults(faults: Partial<NetworkFaults>): void {
    const next = { ...this.#faults, ...faults };
    for (const [name, value] of [
      ["loss", next.loss] as const,
      ["duplicate", next.duplicate] as const,
      ["reorder", next.reorder] as const,
    ]) {
      if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} is a probability from 0 to 1, not ${value}`);
    }
    const [minMs, maxMs] = next.delayMs;
    if (!(minMs >= 0 && maxMs >= minMs && Number.isFinite(maxMs)) || !(next.reorderMs >= 0)) {
      throw new RangeError(`a delay is [least, most] in milliseconds, not [${minMs}, ${maxMs}]`);
    }
    this.#faults = next;
  }

  crash(id: NodeId): void {
    const endpoint = this.#endpoints.get(id);
    for (const link of this.#links.values()) {
      if (link.from === id || link.to === id) link.session.broken = true;
    }
    void endpoint?.close(); // resolved at once
  }

  cut(a: NodeId, b: NodeId, direction: "both" | "one-way" = "both"): void {
    this.#cuts.add(pairKey(a, b));
    if (direction === "both") this.#cuts.add(pairKey(b, a));
    this.endPair(a, b, "cut");
  }

  heal(a?: NodeId, b?: NodeId, direction: "both" | "one-way" = "both"): void {
    if (a === undefined || b === undefined) {
      this.#cuts.clear();
      this.#groups = new Map();
      return;
    }
    this.#cuts.delete(pairKey(a, b));
    if (direction === "both") this.#cuts.delete(pairKey(b, a));
  }

  partition(groups: readonly (readonly NodeId[])[]): void {
    this.#groups = new Map(groups.flatMap((group, index) => group.map((id) => [id, index] as const)));
    for (const link of [...this.#links.values()]) {
      // Both directions are in the map or will be made fresh; breaking a pair twice is harmless.
      if (this.#crossesGroups(link.from, link.to)) this.endPair(link.from, link.to, "cut");
    }
  }

  advance(nowMs: number): number {
    if (!(nowMs >= this.#nowMs)) throw new RangeError(`time does not go back from ${this.#nowMs} to ${nowMs} ms`);
    if (this.#advancing) throw new TypeError("advance was called from inside a frame handler");
    this.#advancing = true;
    let delivered = 0;
    try {
      for (let turns = 0; turns < DELIVERIES_PER_ADVANCE_MAX; turns++) {
        const due = this.#inFlight.popDue(nowMs);
        if (due === undefined) {
          this.#nowMs = nowMs;
          break;
        }
        // A handler that sends while it is called does so at the time of the delivery, not at the end of the step.
        this.#nowMs = Math.max(this.#nowMs, due.dueMs);
        if (this.#deliver(due.item)) delivered++;
      }
    } finally {
      this.#advancing = false;
    }
    return delivered;
  }

  // What follows is for MemoryEndpoint.

  link(from: NodeId, to: NodeId): DirectedLink {
    const key = pairKey(from, to);
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const counters = { framesSent: 0, framesReceived: 0, bufferFull: 0, noPath: 0, tooLarge: 0 };
    const link = { from, to, session: newSession(), lastDueMs: 0, bufferedBytes: 0, ...counters };
    this.#links.set(key, link);
    return link;
  }

  /** Whether the two could hold a connection at all: both exist and one knows the other's address. Cuts do not count. */
  hasPath(from: NodeId, to: NodeId): boolean {
    const [a, b] = [this.#endpoints.get(from), this.#endpoints.get(to)];
    if (a === undefined || b === undefined || from === to) return false;
    return a.knows(to, this.#addresses === "assumed") || b.knows(from, this.#addresses === "assumed");
  }

  reachableFrom(self: NodeId): NodeId[] {
    return [...this.#endpoints.keys()].filter((id) => this.hasPath(self, id));
  }

  schedule(link: DirectedLink, type: FrameType, parts: readonly Uint8Array[], payloadBytes: number): void {
    const { loss, duplicate } = this.#faults;
    link.framesSent++;
    if (this.#isCut(link.from, link.to) || (loss > 0 && this.#random() < loss)) return;
    link.bufferedBytes += payloadBytes;
    const payload = concatBytes(...parts);
    this.#inFlight.push(this.#drawDue(link), {
      link,
      session: link.session,
      type,
      payload,
      countedBytes: payloadBytes,
    });
    if (duplicate > 0 && this.#random() < duplicate) {
      const copy = payload.slice();
      this.#inFlight.push(this.#drawDue(link), { link, session: link.session, type, payload: copy, countedBytes: 0 });
    }
  }

  /**
   * Ends the connection between two nodes, at the word of `by`. What is on the way to `by` is lost, and what `by` sent too, unless it ended
   * the connection in good order.
   */
  endPair(by: NodeId, other: NodeId, reason: CloseReason): void {
    const [outgoing, incoming] = [this.link(by, other), this.link(other, by)];
    incoming.session.broken = true;
    if (reason !== "closing" && reason !== "removed") outgoing.session.broken = true;
    for (const link of [outgoing, incoming]) {
      link.session = newSession();
      link.bufferedBytes = 0;
    }
    this.#endpoints.get(by)?.notifyClosed(other, reason);
    this.#endpoints.get(other)?.notifyClosed(by, reason === "cut" ? "cut" : "ended");
  }

  /** An endpoint was closed. */
  remove(self: NodeId): void {
    for (const link of [...this.#links.values()]) {
      if (link.from === self) this.endPair(self, link.to, "closing");
      else if (link.to === self) this.endPair(self, link.from, "closing");
    }
    this.#endpoints.delete(self);
  }

  #deliver({ link, session, type, payload, countedBytes }: InFlight): boolean {
    const current = session === link.session;
    if (current) link.bufferedBytes -= countedBytes;
    const target = this.#endpoints.get(link.to);
    if (session.broken || target === undefined || this.#isCut(link.from, link.to)) return false;
    const frameBytes = FRAME_HEADER_BYTES + payload.length;
    if (frameBytes > (session.authentic ? target.frameBytesMax : target.unprovenFrameBytesMax)) {
      target.notifyRefused(link.from, frameBytes);
      this.endPair(link.to, link.from, "frame-refused");
      return false;
    }
    link.framesReceived++;
    target.connectionTo(link.from, "claimed");
    const verdict = target.onFrame({ from: link.from, type, payload });
    if (this.#scrub) payload.fill(SCRUB_BYTE);
    if (verdict === "authentic" && !session.authentic) {
      session.authentic = true;
      if (session !== link.session) return true; // ended meanwhile: nobody is left to tell
      target.notifyAuthenticated(link.from);
      this.#endpoints.get(link.from)?.notifyConfirmed(link.to);
    }
    return true;
  }

  #drawDue(link: DirectedLink): number {
    const [minMs, maxMs] = this.#faults.delayMs;
    const dueMs = this.#nowMs + minMs + (maxMs > minMs ? this.#random() * (maxMs - minMs) : 0);
    if (this.#faults.reorder > 0 && this.#random() < this.#faults.reorder) {
      return dueMs + this.#random() * this.#faults.reorderMs; // does not move lastDueMs: later frames may come first
    }
    link.lastDueMs = Math.max(link.lastDueMs, dueMs);
    return link.lastDueMs;
  }

  #isCut(from: NodeId, to: NodeId): boolean {
    return this.#cuts.has(pairKey(from, to)) || this.#crossesGroups(from, to);
  }

  #crossesGroups(a: NodeId, b: NodeId): boolean {
    const [groupA, groupB] = [this.#groups.get(a), this.#groups.get(b)];
    return groupA !== undefined && groupB !== undefined && groupA !== groupB;
  }
}

/** A value no header starts with, so that a payload kept too long fails loudly. */
const SCRUB_BYTE = 0xdb;

class MemoryEndpoint implements Transport {
  readonly onFrame: FrameHandler;
  readonly frameBytesMax: number;
  readonly unprovenFrameBytesMax: number;
  readonly #network: MemoryNetwork;
  readonly #self: NodeId;
  readonly #onLink: LinkObserver;
  readonly #bufferBytesMax: number;
  /** `undefined` as a value: removed by setPeer. */
  readonly #addresses = new Map<NodeId, string | undefined>();
  readonly #connections = new Map<NodeId, number>();
  #lastConnection = 0;
  #closed = false;

  constructor(network: MemoryNetwork, options: InMemoryTransportOptions) {
    this.#network = network;
    this.#self = options.self;
    this.onFrame = options.onFrame;
    this.#onLink = options.onLink ?? (() => undefined);
    this.frameBytesMax = options.frameBytesMax ?? FRAME_BYTES_MAX;
    this.unprovenFrameBytesMax = options.unprovenFrameBytesMax ?? UNPROVEN_FRAME_BYTES_MAX;
    this.#bufferBytesMax = options.bufferBytesMax ?? BUFFER_BYTES_MAX;
  }

  send(to: NodeId, type: FrameType, parts: readonly Uint8Array[]): boolean {
    if (this.#closed) return false;
    if (!this.#network.hasPath(this.#self, to)) {
      if (this.#addresses.has(to)) this.#network.link(this.#self, to).noPath++;
      return false;
    }
    const link = this.#network.link(this.#self, to);
    this.connectionTo(to);
    const payloadBytes = parts.reduce((sum, part) => sum + part.length, 0);
    const frameBytes = FRAME_HEADER_BYTES + payloadBytes;
    if (frameBytes > (link.session.authentic ? this.frameBytesMax : this.unprovenFrameBytesMax)) {
      link.tooLarge++;
      return false;
    }
    if (link.bufferedBytes > 0 && link.bufferedBytes + payloadBytes > this.#bufferBytesMax) {
      link.bufferFull++;
      return false;
    }
    this.#network.schedule(link, type, parts, payloadBytes);
    return true;
  }

  setPeer(peer: NodeId, address: string | undefined): void {
    if (this.#closed || peer === this.#self) return;
    const moved = this.#addresses.has(peer) && this.#addresses.get(peer) !== address;
    this.#addresses.set(peer, address);
    if (address === undefined || moved) this.#network.endPair(this.#self, peer, "removed");
    if (address !== undefined && this.#network.hasPath(this.#self, peer)) this.connectionTo(peer);
  }

  peers(): readonly LinkState[] {
    if (this.#closed) return [];
    const known = [...this.#addresses].flatMap(([id, address]) => (address === undefined ? [] : [id]));
    return [...new Set([...known, ...this.#network.reachableFrom(this.#self)])].map((peer) => this.#linkState(peer));
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#network.remove(this.#self);
    }
    return Promise.resolve();
  }

  // What follows is for MemoryNetwork.

  knows(peer: NodeId, byDefault: boolean): boolean {
    return this.#addresses.has(peer) ? this.#addresses.get(peer) !== undefined : byDefault;
  }

  notifyAuthenticated(peer: NodeId): void {
    this.#onLink({ type: "authenticated", peer, connection: this.connectionTo(peer), dialled: false });
  }

  notifyConfirmed(peer: NodeId): void {
    this.#onLink({ type: "confirmed", peer, connection: this.connectionTo(peer), dialled: true });
  }

  notifyRefused(peer: NodeId, frameBytes: number): void {
    const message = `a frame of ${frameBytes} bytes is over the bound`;
    this.#onLink({ type: "frame-refused", peer, connection: this.connectionTo(peer), code: "too-large", message });
  }

  notifyClosed(peer: NodeId, reason: CloseReason): void {
    const connection = this.#connections.get(peer);
    if (connection === undefined) return;
    this.#connections.delete(peer);
    this.#onLink({ type: "closed", peer, connection, dialled: true, reason });
  }

  /** The number of the connection to a peer; a new one, with its event, after the last was closed. */
  connectionTo(peer: NodeId, type: "connected" | "claimed" = "connected"): number {
    const current = this.#connections.get(peer);
    if (current !== undefined) return current;
    const connection = ++this.#lastConnection;
    this.#connections.set(peer, connection);
    this.#onLink({ type, peer, connection });
    return connection;
  }

  #linkState(peer: NodeId): LinkState {
    const path = this.#network.hasPath(this.#self, peer);
    const outgoing = this.#network.link(this.#self, peer);
    const incoming = this.#network.link(peer, this.#self);
    const { bufferedBytes, framesSent, bufferFull, noPath, tooLarge } = outgoing;
    return {
      peer,
      address: this.#addresses.get(peer),
      dialled: path ? (incoming.session.authentic ? "authentic" : "connected") : "waiting",
      accepted: "none",
      sendsOn: path ? "dialled" : "none",
      carriesLarge: outgoing.session.authentic,
      bufferedBytes,
      framesSent,
      framesReceived: incoming.framesReceived,
      dropped: { bufferFull, noPath, tooLarge },
    };
  }
}

function newSession(): Session {
  return { broken: false, authentic: false };
}

function pairKey(from: NodeId, to: NodeId): string {
  return `${from}>${to}`;
}
