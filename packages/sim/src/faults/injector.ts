/** Carries faults out on a running cluster, ends them in time, and counts those that had an effect. */
import type { Fault, FaultKind } from "./fault.js";
import { Endings, type FaultyWorld } from "./faulty-world.js";
import { NetworkInjector } from "./network-injector.js";
import { NodeInjector } from "./node-injector.js";
import { Tally } from "./tally.js";

export class FaultInjector {
  readonly #endings: Endings;
  readonly #tally = new Tally();
  readonly #network: NetworkInjector;
  readonly #nodes: NodeInjector;

  constructor(world: FaultyWorld) {
    this.#endings = new Endings(world);
    this.#network = new NetworkInjector(world, this.#endings, this.#tally);
    this.#nodes = new NodeInjector(world, this.#endings, this.#tally);
  }

  get reached(): ReadonlyMap<FaultKind, number> {
    this.#network.countEffective();
    return this.#tally.reached;
  }

  /** To be called when a place has got another node. */
  refresh(): void {
    this.#network.refresh();
  }

  inject(fault: Fault): void {
    switch (fault.kind) {
      case "loss":
      case "duplication":
      case "reordering":
      case "delay":
      case "bandwidth":
      case "connection-reset":
      case "partition":
      case "one-way-partition":
      case "asymmetric-partition":
      case "bridge-partition":
      case "flapping":
        this.#network.disturb({ ...fault });
        break;
      case "wire-flip":
      case "wire-truncate":
      case "wire-replay":
      case "wire-reorder":
      case "wire-inject":
      case "wire-reflect":
      case "wire-splice":
      case "wire-delay":
        this.#network.tapWire({ ...fault });
        break;
      case "add-node":
        this.#nodes.addNode(fault);
        break;
      case "power-cut":
        this.#nodes.cutPower(fault);
        break;
      default:
        this.#nodes.disturb(fault);
        break;
    }
  }

  healAll(): void {
    this.#endings.healAll();
    this.#network.healAll();
    this.#nodes.healAll();
  }
}
