/** Carries out what goes wrong between nodes: the weather of the network, and somebody on the wire. */
import type { NetworkFault, WireFault } from "./fault.js";
import type { Endings, FaultyWorld } from "./faulty-world.js";
import type { Tally } from "./tally.js";
import { Weather } from "./weather.js";
import { WireAdversary } from "./wire-adversary.js";

export class NetworkInjector {
  readonly #network: FaultyWorld["network"];
  readonly #endings: Endings;
  readonly #tally: Tally;
  readonly #weather: Weather;
  readonly #adversary: WireAdversary;

  constructor(world: FaultyWorld, endings: Endings, tally: Tally) {
    this.#network = world.network;
    this.#endings = endings;
    this.#tally = tally;
    this.#weather = new Weather(world.network, world.calm, () => world.places.map(({ id }) => id));
    this.#adversary = new WireAdversary(world.random, (fault) => tally.countOnce(fault));
  }

  /** Counts the faults in force that have had an effect by now. */
  countEffective(): void {
    for (const fault of this.#weather.effective) this.#tally.countOnce(fault);
  }

  /** To be called when a place has got another node. */
  refresh(): void {
    this.#weather.refresh();
  }

  disturb(fault: NetworkFault): void {
    this.#weather.begin(fault);
    this.#endings.after(fault.forMs, () => this.#end(fault));
    if (fault.kind === "flapping") this.#flap(fault);
  }

  tapWire(fault: WireFault): void {
    this.#adversary.begin(fault);
    this.#network.setAdversary(this.#adversary.handleFrame);
    this.#endings.after(fault.forMs, () => {
      this.#adversary.end(fault);
      if (!this.#adversary.isActive) this.#network.setAdversary(undefined);
    });
  }

  healAll(): void {
    for (const fault of this.#weather.active) this.#end(fault);
    this.#adversary.endAll();
    this.#network.setAdversary(undefined);
  }

  #end(fault: NetworkFault): void {
    if (this.#weather.end(fault)) this.#tally.countOnce(fault);
  }

  #flap(fault: Extract<NetworkFault, { kind: "flapping" }>): void {
    this.#endings.after(Math.max(1, fault.periodMs / 2), () => {
      if (this.#weather.flap(fault)) this.#flap(fault);
    });
  }
}
