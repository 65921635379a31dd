/** How nodes go down and come back: with their disk, if that will do; else a fresh node takes their place. */
import type { Joining } from "../cluster/joining.js";
import type { SimulatedNode } from "../cluster/simulated-node.js";
import { ViolationError } from "../violation.js";
import type { FaultyWorld } from "./faulty-world.js";

/** How long the operator waits before trying again to start a node whose disk cannot be read, in ms. */
const RESTART_RETRY_MS = 200;

export class Comebacks {
  readonly #world: FaultyWorld;
  /** When a node that is down is to come back. */
  readonly #dueMs = new Map<SimulatedNode, number>();

  constructor(world: FaultyWorld) {
    this.#world = world;
  }

  /** @param forMs - From now, unless it is down for longer already. */
  comeBackAfter(node: SimulatedNode, forMs: number): void {
    const { nowMs, timeline } = this.#world;
    const atMs = Math.max(nowMs + forMs, this.#dueMs.get(node) ?? 0);
    this.#dueMs.set(node, atMs);
    timeline.at(atMs, () => {
      if (this.#dueMs.get(node) === atMs) this.#comeBack(node);
    });
  }

  /** It is wanted no more. */
  forget(node: SimulatedNode): void {
    this.#dueMs.delete(node);
  }

  /** All that are down come back now. */
  healAll(): void {
    for (const node of [...this.#dueMs.keys()]) this.#comeBack(node);
  }

  #comeBack(node: SimulatedNode): void {
    const { members, nowMs } = this.#world;
    this.#dueMs.delete(node);
    if (node.isUp) return;
    if (!members.isLost(node)) {
      const outcome = node.restart(nowMs);
      if (outcome === "unreadable") {
        this.comeBackAfter(node, RESTART_RETRY_MS);
        return;
      }
      const wasDamaged = members.endDoubt(node);
      if (outcome === "up") return;
      if (!wasDamaged) {
        throw new ViolationError("not-recovered", `${node.id} cannot come back (${outcome}), and its disk was honest`);
      }
      members.lose(node);
    }
    this.#replaceLost(node);
  }

  /** In either order: the dead node out first, or the fresh one in first where there is a quorum for that. */
  #replaceLost(node: SimulatedNode): void {
    const { members, places, random } = this.#world;
    const join = (): Joining => this.#world.join(places.indexOf(node));
    if (members.canGrow && random.chance(0.5)) join().whenActive(() => this.#world.remove(node, () => {}));
    else this.#world.remove(node, join);
  }
}
