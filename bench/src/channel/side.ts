/** One side of one contestant, in a process of its own: does what the conductor says, and tells what it cost. */
import type { Endpoint, Link, Shaker } from "../contestants/contestant.js";
import { CONTESTANTS } from "../contestants/index.js";
import { type CpuTimer, startCpu } from "../measure/cpu.js";
import type { Answer, Command } from "./protocol.js";
import { Caller, echoHandlers, Outbox, Sink, Source } from "./traffic.js";
import { TurnWatch } from "./turn-watch.js";

let endpoint: Endpoint | undefined;
let shaker: Shaker | undefined;
let links: readonly Link[] = [];
let cpu: CpuTimer = startCpu();
let echoes: Outbox | undefined;
let mode: "stream" | "echo" | "call" = "stream";
const sources: Source[] = [];
const sink = new Sink(() => links[0]);
const caller = new Caller();
const echo = echoHandlers(() => echoes);
const watch = new TurnWatch();

process.on("message", (command: Command) => {
  carryOut(command).then(
    (value) => answer({ value }),
    (error: unknown) => answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on("disconnect", () => process.exit());

function answer(message: Answer): void {
  process.send?.(message);
}

async function carryOut(command: Command): Promise<number> {
  switch (command.do) {
    case "open":
      endpoint = await CONTESTANTS[command.contestant].open(command.identity, command.role);
      return endpoint.port;
    case "connect":
      links = (await endpoint?.connect(command.peers, handlersOf)) ?? [];
      return 0;
    case "take":
      mode = "stream";
      sink.expect(command.shape);
      cpu = startCpu();
      return 0;
    case "prepare":
      for (const source of sources) source.prepare(command.shape);
      return 0;
    case "stream": {
      const spent = startCpu();
      await Promise.all(links.map((link, peer) => sources[peer]?.send(link, command.shape)));
      return spent();
    }
    case "echo":
      mode = "echo";
      echoes = links[0] && new Outbox(links[0], command.flush);
      cpu = startCpu();
      return 0;
    case "roundTrips": {
      mode = "call";
      const spent = startCpu();
      const [link] = links;
      if (link !== undefined) await caller.run(link, command.roundTrips);
      return spent();
    }
    case "openShaker":
      shaker = await CONTESTANTS[command.contestant].openShaker(command.identity, command.role);
      return shaker.port;
    case "startCpu":
      cpu = startCpu();
      return 0;
    case "cpu":
      return cpu();
    case "shake": {
      const spent = startCpu();
      for (let done = 0; done < command.count; done++) await shaker?.shake(command.peer);
      return spent();
    }
    case "watch":
      watch.start();
      return 0;
    case "longestTurn":
      return watch.stop();
    case "close":
      await endpoint?.close();
      await shaker?.close();
      process.disconnect();
      return 0;
    default:
      return command satisfies never;
  }
}

function handlersOf(peer: number): Parameters<Endpoint["connect"]>[1] extends (peer: number) => infer H ? H : never {
  const source = new Source();
  sources[peer] = source;
  return {
    onItem: (bytes, at, length) => {
      if (mode === "stream") sink.take(length);
      else if (mode === "echo") echo(bytes, at, length);
      else caller.handleAnswer(length);
    },
    onCredit: () => source.handleCredit(),
  };
}
