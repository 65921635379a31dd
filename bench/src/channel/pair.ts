/** A contestant at work: one source and its sinks, each in a process of its own, connected once and kept for all rounds. */
import type { Address } from "../contestants/contestant.js";
import type { Identity } from "../contestants/identity.js";
import type { ContestantName } from "../contestants/index.js";
import type { RoundTrips, StreamShape } from "./protocol.js";
import { SideProcess } from "./side-process.js";
import { planOf } from "./traffic.js";

const BYTES_PER_GB = 1e9;
const US_PER_S = 1e6;

export class Pair {
  readonly contestant: ContestantName;
  readonly #source: SideProcess;
  readonly #sinks: readonly SideProcess[];

  private constructor(contestant: ContestantName, source: SideProcess, sinks: readonly SideProcess[]) {
    this.contestant = contestant;
    this.#source = source;
    this.#sinks = sinks;
  }

  /** @param identities - The source's, then one for every sink. */
  static async open(
    contestant: ContestantName,
    identities: readonly Identity[],
    execArgv: readonly string[] = [],
  ): Promise<Pair> {
    const [first, ...others] = identities;
    if (first === undefined) throw new RangeError("a pair needs identities");
    const source = new SideProcess(execArgv);
    const sinks = others.map(() => new SideProcess(execArgv));
    const addressOf = async (side: SideProcess, identity: Identity, role: "source" | "sink"): Promise<Address> => ({
      id: identity.id,
      port: await side.ask({ do: "open", contestant, identity, role }),
    });
    const at = await addressOf(source, first, "source");
    const peers: Address[] = [];
    for (const [index, sink] of sinks.entries()) {
      const identity = others[index];
      if (identity !== undefined) peers.push(await addressOf(sink, identity, "sink"));
    }
    const connecting = [source.ask({ do: "connect", peers })];
    for (const sink of sinks) connecting.push(sink.ask({ do: "connect", peers: [at] }));
    await Promise.all(connecting);
    return new Pair(contestant, source, sinks);
  }

  /** @returns CPU seconds of all sides for every GB delivered. */
  async stream(shape: StreamShape): Promise<number> {
    await this.#source.ask({ do: "prepare", shape });
    for (const sink of this.#sinks) await sink.ask({ do: "take", shape });
    const spentUs = (await this.#source.ask({ do: "stream", shape })) + (await this.#sinkCpu());
    const { batches, batchBytes } = planOf(shape);
    return spentUs / US_PER_S / ((batches * batchBytes * this.#sinks.length) / BYTES_PER_GB);
  }

  /** @returns CPU µs of both sides for every round trip. */
  async roundTrips(roundTrips: RoundTrips): Promise<number> {
    for (const sink of this.#sinks) await sink.ask({ do: "echo", flush: roundTrips.flush });
    return ((await this.#source.ask({ do: "roundTrips", roundTrips })) + (await this.#sinkCpu())) / roundTrips.count;
  }

  async close(): Promise<void> {
    await Promise.all([this.#source.close(), ...this.#sinks.map((sink) => sink.close())]);
  }

  async #sinkCpu(): Promise<number> {
    let spentUs = 0;
    for (const sink of this.#sinks) spentUs += await sink.ask({ do: "cpu" });
    return spentUs;
  }
}

/** A contestant's handshakes: one side answers, one dials, each in a process of its own. */
export class ShakerPair {
  readonly contestant: ContestantName;
  readonly #answerer: SideProcess;
  readonly #dialler: SideProcess;
  readonly #at: Address;

  private constructor(contestant: ContestantName, answerer: SideProcess, dialler: SideProcess, at: Address) {
    this.contestant = contestant;
    this.#answerer = answerer;
    this.#dialler = dialler;
    this.#at = at;
  }

  static async open(
    contestant: ContestantName,
    [first, second]: readonly Identity[],
    execArgv: readonly string[] = [],
  ): Promise<ShakerPair> {
    if (first === undefined || second === undefined) throw new RangeError("two sides need two identities");
    const [answerer, dialler] = [new SideProcess(execArgv), new SideProcess(execArgv)];
    const port = await answerer.ask({ do: "openShaker", contestant, identity: first, role: "source" });
    await dialler.ask({ do: "openShaker", contestant, identity: second, role: "sink" });
    return new ShakerPair(contestant, answerer, dialler, { id: first.id, port });
  }

  /** @returns CPU ms of both sides for every handshake. */
  async shake(count: number): Promise<number> {
    await this.#answerer.ask({ do: "startCpu" });
    const dialled = await this.#dialler.ask({ do: "shake", peer: this.#at, count });
    return (dialled + (await this.#answerer.ask({ do: "cpu" }))) / count / 1000;
  }

  /** @returns The longest turn of either side's event loop in one handshake, in ms. */
  async longestTurn(): Promise<number> {
    const sides = [this.#answerer, this.#dialler];
    for (const side of sides) await side.ask({ do: "watch" });
    await this.#dialler.ask({ do: "shake", peer: this.#at, count: 1 });
    let longestUs = 0;
    for (const side of sides) longestUs = Math.max(longestUs, await side.ask({ do: "longestTurn" }));
    return longestUs / 1000;
  }

  async close(): Promise<void> {
    await Promise.all([this.#answerer.close(), this.#dialler.close()]);
  }
}
