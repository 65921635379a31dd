/** What `start` and `join` share: the flags of a node, and the life of its process from listening to the last signal. */
import { access } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { NodeOptions, RunningNode } from "@sealane/node";
import type { Command } from "commander";
import { CliError, EXIT_USAGE, errorCode } from "../cli-error.js";
import { type Io, type StopSignal, signalExitCode } from "../io.js";
import { type ListenAddress, listenAddress, publishedAddress, wholeNumber } from "../values.js";

export interface NodeFlags {
  readonly dataDir: string;
  readonly node?: ListenAddress;
  readonly api?: ListenAddress;
  readonly publishedNode?: string;
  readonly publishedApi?: string;
  readonly electionTimeout?: number;
  readonly heartbeat?: number;
  readonly snapshotEvery?: number;
  readonly json?: boolean;
}

const NODE_DEFAULT: ListenAddress = { host: "127.0.0.1", port: 7001 };
const API_DEFAULT: ListenAddress = { host: "127.0.0.1", port: 8001 };
/** Listens on every address of the host, and so names none that others could use. */
const WILDCARDS = new Set(["0.0.0.0", "::"]);
const TIME_MS_MAX = 3_600_000;

export function addNodeOptions(command: Command): Command {
  return command
    .requiredOption("--data-dir <dir>", "everything of this node; a node that is in it already goes on")
    .option("--node <host:port>", "listen here for other nodes (default: 127.0.0.1:7001)", listenAddress)
    .option("--api <host:port>", "listen here for clients, HTTPS (default: 127.0.0.1:8001)", listenAddress)
    .option("--published-node <host:port>", "where other nodes reach it, if not there", publishedAddress)
    .option("--published-api <host:port>", "where clients reach it, if not there", publishedAddress)
    .option(
      "--election-timeout <ms>",
      "stand for election after this silence (default: 5000)",
      wholeNumber(1, TIME_MS_MAX),
    )
    .option("--heartbeat <ms>", "send at least this often as a primary (default: 100)", wholeNumber(1, TIME_MS_MAX))
    .option(
      "--snapshot-every <n>",
      "take a snapshot after this many entries; the same on all nodes (default: 10000)",
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .option("--json", "print where things are as one JSON line");
}

/**
 * Runs a node until a signal ends it. The first one stops it gracefully, the second one at once.
 * @param service - What to begin with in a fresh directory; with `lived` "recover", in any.
 * @param lived - What becomes of a node that the directory holds.
 */
export async function runNode(
  io: Io,
  flags: NodeFlags,
  service: () => Promise<NodeOptions["service"]>,
  lived: "resume" | "recover" = "resume",
): Promise<void> {
  checkPublished(flags);
  const stopping = new AbortController();
  let stoppedBy: StopSignal | undefined;
  const ignoreSignals = io.onStopSignal((signal) => {
    if (stoppedBy !== undefined) io.exit(signalExitCode(signal));
    stoppedBy = signal;
    stopping.abort();
  });
  try {
    const { holdsNode, startNode } = await import("@sealane/node"); // takes a while to load; other commands need none of it
    const resumed = await holdsNode(flags.dataDir);
    const node = await startNode({
      ...nodeOptions(flags, resumed),
      service: resumed ? { type: lived } : await service(),
      signal: stopping.signal,
    });
    node.retired.then(
      () =>
        io.warnLine(`sealane: the service has removed node ${node.nodeId} and needs it no more: it can be stopped.`),
      () => undefined, // it ended before that, as nodes do
    );
    const ended = node.closed; // observed at once, so that a fault during the next line is not an unhandled one
    await Promise.race([announce(io, flags, node, resumed), ended]);
    await ended;
  } catch (error) {
    if (stoppedBy !== undefined && errorCode(error) === "aborted") return;
    throw error;
  } finally {
    ignoreSignals();
  }
}

function checkPublished({ node, api, publishedNode, publishedApi }: NodeFlags): void {
  const pairs = [
    ["node", node, publishedNode],
    ["api", api, publishedApi],
  ] as const;
  for (const [name, listen, published] of pairs) {
    if (listen !== undefined && WILDCARDS.has(listen.host) && published === undefined) {
      const message = `--${name} ${listen.host} listens on every address: say with --published-${name} where others reach it`;
      throw new CliError(message, { exitCode: EXIT_USAGE });
    }
  }
}

/** A node that goes on listens where it did, unless the flags say otherwise. */
function nodeOptions(flags: NodeFlags, resumed: boolean): Omit<NodeOptions, "service"> {
  const node = flags.node ?? (resumed ? undefined : NODE_DEFAULT);
  const api = flags.api ?? (resumed ? undefined : API_DEFAULT);
  return {
    dataDir: flags.dataDir,
    ...(node && { node: withPublished(node, flags.publishedNode) }),
    ...(api && { api: withPublished(api, flags.publishedApi) }),
    ...(flags.electionTimeout !== undefined && { electionTimeoutMs: flags.electionTimeout }),
    ...(flags.heartbeat !== undefined && { heartbeatMs: flags.heartbeat }),
    ...(flags.snapshotEvery !== undefined && { snapshotEvery: flags.snapshotEvery }),
  };
}

function withPublished(listen: ListenAddress, published: string | undefined): ListenAddress & { published?: string } {
  return published === undefined ? listen : { ...listen, published };
}

/** Where things are, for a person or as one JSON line for a program. */
async function announce(io: Io, flags: NodeFlags, node: RunningNode, resumed: boolean): Promise<void> {
  const dataDir = resolve(flags.dataDir);
  const serviceCertificate = join(dataDir, "service.pem");
  const memberKey = await ifExists(join(dataDir, "member0.private.pem"));
  const { phase } = node.state();
  const facts = {
    nodeId: node.nodeId,
    phase,
    resumed,
    apiUrl: node.apiUrl,
    nodeAddress: node.nodeAddress,
    dataDir,
    serviceCertificate,
    memberKey: memberKey ?? null,
    pid: process.pid,
  };
  if (flags.json === true) {
    await io.printLine(JSON.stringify(facts));
    return;
  }
  const rows: [label: string, text: string][] = [
    ["node", `${node.nodeId}${resumed ? " (goes on)" : ""}`],
    ["clients", node.apiUrl],
    ["nodes", node.nodeAddress],
    ["data", dataDir],
    ["service certificate", serviceCertificate],
    ...(memberKey === undefined ? [] : [["member key", memberKey] satisfies [string, string]]),
  ];
  for (const [label, text] of rows) await io.printLine(`${`${label}:`.padEnd(21)}${text}`);
  if (phase === "pending") {
    await io.printLine(`It waits to be trusted: sealane trust ${node.nodeId} --member-key … --service-cert … --url …`);
  }
}

async function ifExists(path: string): Promise<string | undefined> {
  try {
    await access(path);
    return path;
  } catch {
    return undefined;
  }
}
