/**
 * The accepted connections that have proven nothing. Anybody who can reach the port can open one and claim any id, so they are few, and
 * when there are too many the oldest goes: a node that belongs here proves itself within a round trip or two and dials again if it was
 * unlucky, while one that only wants to hold a place cannot.
 *
 * When all places are taken, the victim is the oldest of the remote host that holds most of them, so that one host cannot drive out the
 * others by dialling fast. A host with many addresses can: that, and the bound itself, are what a firewall is for.
 */
import type { NodeId } from "@sealane/wire";

export interface Visitor {
  readonly remoteHost: string;
  /** As claimed; `undefined` before the first frame. */
  readonly peer: NodeId | undefined;
}

export interface LobbyLimits {
  readonly total: number;
  readonly perPeer: number;
}

/** Each costs one file descriptor and at most one unproven frame, 64 KiB. */
export const LOBBY_LIMITS: LobbyLimits = { total: 64, perPeer: 4 };

export class Lobby<T extends Visitor> {
  readonly #limits: LobbyLimits;
  /** In order of arrival. */
  readonly #visitors = new Set<T>();

  constructor(limits: LobbyLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#visitors.size;
  }

  /** Takes a new connection in. @returns The one that has to go for it, if any; already removed. */
  admit(visitor: T): T | undefined {
    this.#visitors.add(visitor);
    if (this.#visitors.size <= this.#limits.total) return undefined;
    return this.#remove(this.#oldestOfLargestHost());
  }

  /** Call when a visitor has named itself. @returns The oldest of the same peer when there are too many; already removed. */
  claimed(visitor: T): T | undefined {
    const ofPeer = [...this.#visitors].filter(({ peer }) => peer === visitor.peer);
    return ofPeer.length > this.#limits.perPeer ? this.#remove(ofPeer[0]) : undefined;
  }

  /** Call when a visitor has proven itself or is gone. */
  leave(visitor: T): void {
    this.#visitors.delete(visitor);
  }

  #oldestOfLargestHost(): T | undefined {
    const byHost = new Map<string, T[]>();
    for (const visitor of this.#visitors) {
      const ofHost = byHost.get(visitor.remoteHost);
      if (ofHost === undefined) byHost.set(visitor.remoteHost, [visitor]);
      else ofHost.push(visitor);
    }
    const [largest] = [...byHost.values()].toSorted((a, b) => b.length - a.length);
    return largest?.[0];
  }

  #remove(visitor: T | undefined): T | undefined {
    if (visitor !== undefined) this.#visitors.delete(visitor);
    return visitor;
  }
}
