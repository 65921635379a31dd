/**
 * The process of one node, started by the supervisor with `child_process.fork`. It runs `startNode` and shows the supervisor what
 * happens, in bounded batches. It ends on SIGTERM, when told to, and when the supervisor is gone.
 */
import { type RunningNode, startNode } from "@sealane/node";
import type { NodeState } from "@sealane/wire";
import { sentence } from "./errors.js";
import { EventBatch } from "./event-batch.js";
import type { FromNode, NodeSettings, ToNode } from "./node-messages.js";
import { Observation } from "./observe.js";
import { LOOPBACK } from "./ports.js";

const BATCH_EVERY_MS = 100;
/** Without events the state still goes out this often: key ages grow. */
const STATE_EVERY_MS = 500;
/** A stop that takes longer is cut short: the ledger is repaired at the next start. */
const STOP_TIMEOUT_MS = 8_000;

const batch = new EventBatch();
const observation = new Observation();
const abort = new AbortController();
let running: RunningNode | undefined;
let sending = false;
let lastSentMs = 0;
let lastSeen = "";
let stopping = false;

process.on("message", (message: ToNode) => {
  // Proven by the supervisor: the only sender on this channel, compiled with the same types.
  if (message.type === "start") void run(message.settings);
  else stop();
});
process.on("disconnect", stop);
process.on("SIGTERM", stop);
// Ctrl-C reaches the whole process group; the supervisor then stops its nodes in order.
process.on("SIGINT", () => undefined);
if (process.send === undefined) {
  process.stderr.write("node-process: only the demo's supervisor starts this\n");
  process.exit(2);
}
tell({ type: "ready" });

async function run(settings: NodeSettings): Promise<void> {
  try {
    running = await startNode({
      dataDir: settings.dataDir,
      service: settings.service,
      node: { host: LOOPBACK, port: settings.nodePort, published: settings.published },
      api: { host: LOOPBACK, port: settings.apiPort },
      electionTimeoutMs: settings.electionTimeoutMs,
      heartbeatMs: settings.heartbeatMs,
      commitTimeoutMs: settings.commitTimeoutMs,
      signal: abort.signal,
      observer: (event) => {
        const observed = observation.describe(event, Date.now());
        if (observed !== undefined) batch.add(observed);
      },
    });
    tell({ type: "started", nodeId: running.nodeId });
    const timer = setInterval(handOver, BATCH_EVERY_MS);
    await running.closed;
    clearInterval(timer);
    process.exit(0);
  } catch (error) {
    if (stopping) process.exit(0);
    // The exit waits for the message: it is the only account of the fault the supervisor gets.
    process.send?.({ type: "failed", message: sentence(error) } satisfies FromNode, () => process.exit(1));
    if (!process.connected) process.exit(1);
  }
}

/** Sends a batch unless the one before is still on its way: a supervisor that does not keep up costs no memory here. */
function handOver(): void {
  if (sending || running === undefined || !process.connected) return;
  const nowMs = Date.now();
  const { events, dropped } = batch.take();
  const state = running.state();
  const seen = whatMatters(state);
  if (events.length === 0 && seen === lastSeen && nowMs - lastSentMs < STATE_EVERY_MS) return;
  lastSentMs = nowMs;
  lastSeen = seen;
  sending = true;
  process.send?.({ type: "batch", state, events, dropped } satisfies FromNode, () => {
    sending = false;
  });
}

/** Changes of this are shown at once; ages and counters can wait. */
function whatMatters({ phase, role, view, lastSeqno, committed, channels }: NodeState): string {
  return JSON.stringify([
    phase,
    role,
    view,
    lastSeqno,
    committed,
    channels.map(({ peer, state, open }) => [peer, state, open]),
  ]);
}

function stop(): void {
  if (stopping) return;
  stopping = true;
  abort.abort();
  setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
  if (running === undefined) process.exit(0);
  running.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  );
}

function tell(message: FromNode): void {
  if (process.connected) process.send?.(message);
}
