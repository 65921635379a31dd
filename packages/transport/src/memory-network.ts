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
import { type EndpointNetwork, type InMemoryTransportOptions, MemoryEndpoint } from "./memory-endpoint.js";
import { type Adversary, checkFaults, type FaultCounts, type NetworkFaults, NO_FAULTS } from "./memory-faults.js";
import { DirectedLink, type Session } from "./memory-link.js";
import type { CloseReason, Transport } from "./transport.js";

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

export interface InMemoryNetwork {
  /** @throws {TransportError} `id-in-use` while another open transport has this id. After its `close` the id is free: a restart. */
  transport(options: InMemoryTransportOptions): Transport;
  /** Changes the faults named, from the next frame on. @throws {RangeError} for a probability outside [0, 1] or a bad delay. */
  setFaults(faults: Partial<NetworkFaults>): void;
  /** Puts somebody on every wire, or takes them away. */
  setAdversary(adversary: Adversary | undefined): void;
  /** How many frames each fault has met since the start. */
  readonly counts: Readonly<FaultCounts>;
  /**
   * Holds back what arrives at a node, as its operating system does while its process stands still: links stay up, senders fill their
   * buffers. `release` hands it all over at once.
   */
  hold(id: NodeId): void;
  release(id: NodeId): void;
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

interface InFlight {
  readonly link: DirectedLink;
  readonly session: Session;
  readonly type: FrameType;
  readonly payload: Uint8Array;
  /** Bytes to give back to the link's buffer; 0 for a duplicate. */
  readonly countedBytes: number;
  /** The connection breaks in the middle of it. */
  readonly breaks: boolean;
}

class MemoryNetwork implements InMemoryNetwork, EndpointNetwork {
  readonly #random: () => number;
  readonly #addresses: "assumed" | "required";
  readonly #scrub: boolean;
  readonly #endpoints = new Map<NodeId, MemoryEndpoint>();
  readonly #links = new Map<string, DirectedLink>();
  readonly #inFlight = new DueQueue<InFlight>();
  readonly #cuts = new Set<string>();
  #groups = new Map<NodeId, number>();
  /** Nodes that stand still, with what has arrived for them. */
  readonly #held = new Map<NodeId, InFlight[]>();
  readonly counts: FaultCounts = { carried: 0, lost: 0, duplicated: 0, reordered: 0, reset: 0, cut: 0, throttled: 0 };
  #faults = NO_FAULTS;
  #adversary: Adversary | undefined;
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
    checkFaults(next);
    this.#faults = next;
  }

  setAdversary(adversary: Adversary | undefined): void {
    this.#adversary = adversary;
  }

  hold(id: NodeId): void {
    if (!this.#held.has(id)) this.#held.set(id, []);
  }

  release(id: NodeId): void {
    const waiting = this.#held.get(id) ?? [];
    this.#held.delete(id);
    for (const frame of waiting) this.#inFlight.push(this.#nowMs, frame);
  }

  crash(id: NodeId): void {
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined) return;
    this.#held.delete(id);
    for (const link of this.#links.values()) {
      if (link.from === id || link.to === id) link.session.broken = true;
    }
    void endpoint.close(); // resolved at once
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
    const link = new DirectedLink(from, to);
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
    link.framesSent++;
    if (this.#isCut(link.from, link.to)) {
      this.counts.cut++;
      return;
    }
    if (this.#happens(this.#faults.loss)) {
      this.counts.lost++;
      return;
    }
    const payload = concatBytes(...parts);
    const forged = this.#adversary?.({ from: link.from, to: link.to, type, payload });
    if (forged === undefined) this.#carry(link, type, payload, payloadBytes, 0);
    else
      for (const frame of forged)
        this.#carry(this.link(frame.from, frame.to), frame.type, frame.payload.slice(), 0, frame.delayMs);
    if (forged === undefined && this.#happens(this.#faults.duplicate)) {
      this.counts.duplicated++;
      this.#carry(link, type, payload.slice(), 0, 0);
    }
  }

  #carry(link: DirectedLink, type: FrameType, payload: Uint8Array, countedBytes: number, delayMs: number): void {
    this.counts.carried++;
    link.bufferedBytes += countedBytes;
    const breaks = this.#happens(this.#faults.reset);
    const dueMs = this.#drawDue(link, payload.length + FRAME_HEADER_BYTES) + delayMs;
    this.#inFlight.push(dueMs, { link, session: link.session, type, payload, countedBytes, breaks });
  }

  #happens(probability: number): boolean {
    return probability > 0 && this.#random() < probability;
  }

  /**
   * Ends the connection between two nodes, at the word of `by`. What is on the way to `by` is lost, and what `by` sent too, unless it ended
   * the connection in good order.
   */
  endPair(by: NodeId, other: NodeId, reason: CloseReason): void {
    const [outgoing, incoming] = [this.link(by, other), this.link(other, by)];
    incoming.end(true);
    outgoing.end(reason !== "closing" && reason !== "removed");
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

  #deliver(frame: InFlight): boolean {
    const { link, session, type, payload, countedBytes } = frame;
    const held = this.#held.get(link.to);
    if (held !== undefined && !session.broken) {
      held.push(frame);
      return false;
    }
    const current = session === link.session;
    if (current) link.bufferedBytes -= countedBytes;
    const target = this.#endpoints.get(link.to);
    if (session.broken || target === undefined) return false;
    if (this.#isCut(link.from, link.to)) {
      this.counts.cut++;
      return false;
    }
    if (frame.breaks) {
      this.counts.reset++;
      this.endPair(link.from, link.to, "failed");
      return false;
    }
    if (current) target.connectionTo(link.from, "claimed");
    const frameBytes = FRAME_HEADER_BYTES + payload.length;
    if (frameBytes > (session.authentic ? target.frameBytesMax : target.unprovenFrameBytesMax)) {
      target.notifyRefused(link.from, frameBytes);
      this.endPair(link.to, link.from, "frame-refused");
      return false;
    }
    link.framesReceived++;
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

  #drawDue(link: DirectedLink, frameBytes: number): number {
    const { delayMs, reorder, reorderMs, bytesPerMs } = this.#faults;
    const [minMs, maxMs] = delayMs;
    let leavesMs = this.#nowMs;
    if (bytesPerMs !== Number.POSITIVE_INFINITY) {
      leavesMs = Math.max(leavesMs, link.freeMs) + frameBytes / bytesPerMs;
      link.freeMs = leavesMs;
      this.counts.throttled++;
    }
    const dueMs = leavesMs + minMs + (maxMs > minMs ? this.#random() * (maxMs - minMs) : 0);
    if (this.#happens(reorder)) {
      this.counts.reordered++;
      return dueMs + this.#random() * reorderMs; // does not move lastDueMs: later frames may come first
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

function pairKey(from: NodeId, to: NodeId): string {
  return `${from}>${to}`;
}
