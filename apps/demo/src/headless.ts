/**
 * The demo without a browser: a script that starts a pair, writes thousands of lines through both nodes, kills the backup, brings
 * it back, and then has all that is left judged from the outside (`judge.ts`). Each step is a function below, in order.
 */
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Acknowledged, type Appended, appendLines, type Refused } from "./append.js";
import { Capture } from "./capture.js";
import { DemoError } from "./errors.js";
import { Judge } from "./judge.js";
import { type Line, makeLines, readLines } from "./lines.js";
import { Account, type Details, type Report, requireNone, StepFailure } from "./report.js";
import { exportSecrets } from "./secrets.js";
import { Cluster, DEFAULT_TIMES } from "./supervisor.js";
import { until } from "./until.js";

export const LINES_MIN = 100;
export const LINES_MAX = 1_000_000;

const PRIMARY = 0;
const BACKUP = 1;
/** Writes under way through each node. */
const IN_FLIGHT = 32;
/** Lines kept back for the moments around the kill, and how many of them must be acknowledged before it. */
const OUTAGE_LINES = 32;
const OUTAGE_IN_FLIGHT = 8;
const KILL_AFTER = 8;
/** A node gives a write up after `commitTimeoutMs`; the answer must be with the client by then. */
const OUTAGE_DEADLINE_MS = 2 * DEFAULT_TIMES.commitTimeoutMs;
const CATCH_UP_TIMEOUT_MS = 30_000;
/** Eight times what a line costs on the wire between two nodes, and room for heartbeats. */
const CAPTURE_BYTES_PER_LINE = 8_192;
const CAPTURE_BYTES_BASE = 64 * 1024 * 1024;

export interface HeadlessOptions {
  readonly nodes: number;
  readonly lines: number;
  /** Exists, and must be empty. */
  readonly dataDir: string;
  readonly temporary: boolean;
  readonly exportSecrets?: string | undefined;
  readonly print: (line: string) => void;
  /** Ends the run early. */
  readonly signal: AbortSignal;
}

/** Runs the script. Never throws for what it checks: the report says it. @throws {DemoError} when it cannot even begin. */
export async function runHeadless(options: HeadlessOptions): Promise<Report> {
  if ((await readdir(options.dataDir)).length > 0)
    throw new DemoError(`${options.dataDir} is not empty: the script needs a new directory`);
  const capture = new Capture(CAPTURE_BYTES_BASE + options.lines * CAPTURE_BYTES_PER_LINE);
  const { nodes, dataDir, temporary } = options;
  const cluster = await Cluster.open({ nodes, dataDir, temporary, capture, ...DEFAULT_TIMES });
  const close = () => cluster.killAllNow();
  process.prependOnceListener("exit", close);
  options.signal.addEventListener("abort", () => void cluster.close(), { once: true });
  const account = new Account(options.print);
  let complete = false;
  try {
    await new Script(cluster, capture, account, options).run();
    complete = true;
  } catch (error) {
    if (!(error instanceof DemoError)) throw error;
    options.print(`The script stopped: ${error.message}.`);
  } finally {
    await cluster.close();
    process.removeListener("exit", close);
  }
  return account.report(nodes, complete);
}

class Script {
  readonly #cluster: Cluster;
  readonly #capture: Capture;
  readonly #account: Account;
  readonly #options: HeadlessOptions;
  readonly #acknowledged: Acknowledged[] = [];
  #lines: readonly Line[] = [];
  /** Lines without an acknowledgement; the outage makes some. */
  #open: readonly Line[] = [];
  #committed = 0;

  constructor(cluster: Cluster, capture: Capture, account: Account, options: HeadlessOptions) {
    this.#cluster = cluster;
    this.#capture = capture;
    this.#account = account;
    this.#options = options;
  }

  async run(): Promise<void> {
    const run = (name: string, step: () => Promise<Details>) => this.#account.run(name, step);
    await run("start the primary", () => this.#startPrimary());
    await run("join over TLS and be trusted by ballot", () => this.#join());
    await run("establish the channels", () => this.#establish());
    await run("write the lines to a file", () => this.#makeLines());
    await run("append half through the primary, half through the backup", () => this.#append());
    await run("kill the backup while writes are under way", () => this.#kill());
    await run("refuse writes without a quorum", () => this.#noQuorum());
    await run("restart the backup with its data directory", () => this.#restart());
    await run("catch up and resume commits", () => this.#resume());
    await run("retry what was not acknowledged", () => this.#retry());
    await run("stop all nodes", () => this.#stop());
    const judge = new Judge(this.#cluster, this.#capture, this.#account, {
      committed: this.#committed,
      acknowledged: this.#acknowledged,
      lines: this.#lines,
    });
    await run("verify the ledgers offline", () => judge.verify());
    await run("compare the committed prefixes byte for byte", () => judge.compare());
    await run("find each acknowledged line exactly once", () => judge.findOnce());
    await run("prove acknowledged lines by receipts", () => judge.prove());
    await run("judge what an eavesdropper saw", () => judge.eavesdrop());
    if (this.#options.exportSecrets !== undefined) await run("export the ledger secrets", () => this.#export());
  }

  async #startPrimary(): Promise<Details> {
    await this.#cluster.startFirst();
    return { node: this.#nodeId(PRIMARY) };
  }

  async #join(): Promise<Details> {
    for (let index = 1; index < this.#cluster.size; index++) await this.#cluster.join(index);
    return { node: this.#nodeId(BACKUP) };
  }

  async #establish(): Promise<Details> {
    await this.#cluster.channelsEstablished();
    return { channels: this.#cluster.size * (this.#cluster.size - 1) };
  }

  async #makeLines(): Promise<Details> {
    const file = join(this.#options.dataDir, "lines.ndjson");
    await makeLines(file, this.#options.lines);
    this.#lines = await readLines(file);
    this.#open = this.#lines.slice(-Math.min(OUTAGE_LINES, Math.floor(this.#lines.length / 3)));
    this.#account.count("lines", this.#lines.length);
    return { lines: this.#lines.length, file };
  }

  async #append(): Promise<Details> {
    const now = this.#lines.slice(0, this.#lines.length - this.#open.length);
    // Those kept back go through the primary, all but the one that shows that commits resume.
    const viaBackup = now.slice(0, Math.floor(this.#lines.length / 2) - 1);
    const viaPrimary = now.slice(viaBackup.length);
    const startedAt = performance.now();
    const through = (node: number, lines: readonly Line[]) => appendLines(this.#cluster.client(node), lines, IN_FLIGHT);
    const parts = await Promise.all([through(PRIMARY, viaPrimary), through(BACKUP, viaBackup)]);
    const seconds = (performance.now() - startedAt) / 1_000;
    for (const [node, part] of parts.entries()) this.#acknowledge(node, part);
    const refused = parts.flatMap((part) => part.refused);
    const details = {
      viaPrimary: viaPrimary.length,
      viaBackup: viaBackup.length,
      linesPerSecond: Math.round(now.length / seconds),
    };
    requireNone(refused.map(refusal), details);
    return details;
  }

  async #kill(): Promise<Details> {
    const half = this.#open.slice(0, Math.floor(this.#open.length / 2));
    const fresh = this.#open.slice(half.length);
    let killed: Promise<void> | undefined;
    const result = await appendLines(
      this.#cluster.client(PRIMARY, OUTAGE_DEADLINE_MS),
      half,
      OUTAGE_IN_FLIGHT,
      (count) => {
        if (count === Math.min(KILL_AFTER, half.length)) killed = this.#cluster.kill(BACKUP);
      },
    );
    if (killed === undefined)
      throw new StepFailure("The writes before the kill were not acknowledged.", {
        refused: result.refused.map(refusal),
      });
    await killed;
    this.#acknowledge(PRIMARY, result);
    this.#open = [...result.refused.map(({ line }) => line), ...fresh];
    const details = {
      acknowledged: result.acknowledged.length,
      refused: result.refused.length,
      codes: codes(result.refused),
    };
    requireNone(result.refused.filter(({ retryable }) => !retryable).map(refusal), details);
    if (result.acknowledged.length === half.length)
      throw new StepFailure("All writes were acknowledged although a majority was gone.", details);
    return details;
  }

  async #noQuorum(): Promise<Details> {
    const probes = this.#open.slice(-OUTAGE_IN_FLIGHT);
    const { acknowledged, refused } = await appendLines(
      this.#cluster.client(PRIMARY, OUTAGE_DEADLINE_MS),
      probes,
      OUTAGE_IN_FLIGHT,
    );
    const slowestMs = Math.max(...refused.map(({ ms }) => ms));
    const details = {
      refused: refused.length,
      codes: codes(refused),
      slowestMs,
      deadlineMs: OUTAGE_DEADLINE_MS,
      answer: refused[0]?.message ?? "",
    };
    this.#account.count("refusedWithoutQuorum", refused.length);
    const problems = [
      ...acknowledged.map(({ line }) => `${line.key} was acknowledged without a quorum`),
      ...refused.filter(({ code, retryable }) => code !== "no-quorum" || !retryable).map(refusal),
      ...refused
        .filter(({ ms }) => ms > OUTAGE_DEADLINE_MS + DEFAULT_TIMES.commitTimeoutMs)
        .map(({ ms }) => `An answer took ${ms} ms`),
    ];
    requireNone(problems, details);
    return details;
  }

  async #restart(): Promise<Details> {
    const before = this.#nodeId(BACKUP);
    await this.#cluster.restart(BACKUP);
    const after = this.#nodeId(BACKUP);
    if (after !== before) throw new StepFailure("The backup came back as another node.", { before, after });
    await this.#cluster.channelsEstablished();
    return { node: after };
  }

  async #resume(): Promise<Details> {
    const line = this.#open[0];
    if (line === undefined) throw new StepFailure("No line is left to write.");
    const startedAt = performance.now();
    // Through the backup: forwarding, replication and commit all have to work again.
    const result = await appendLines(this.#cluster.client(BACKUP), [line], 1);
    requireNone(result.refused.map(refusal), {});
    this.#acknowledge(BACKUP, result);
    this.#open = this.#open.slice(1);
    const firstCommitMs = Math.round(performance.now() - startedAt);
    const committed = await this.#settled();
    return { firstCommitMs, committed };
  }

  async #retry(): Promise<Details> {
    const open = this.#open;
    const result = await appendLines(this.#cluster.client(PRIMARY), open, IN_FLIGHT);
    requireNone(result.refused.map(refusal), {});
    this.#acknowledge(PRIMARY, result);
    this.#open = [];
    const alreadyThere = result.acknowledged.filter(({ created }) => !created).length;
    this.#account.count("retried", open.length);
    this.#account.count("acknowledged", this.#acknowledged.length);
    if (this.#acknowledged.length !== this.#lines.length) {
      throw new StepFailure(`${this.#acknowledged.length} of ${this.#lines.length} lines are acknowledged.`);
    }
    return { retried: open.length, alreadyThere };
  }

  async #stop(): Promise<Details> {
    this.#committed = await this.#settled();
    this.#account.count("committed", this.#committed);
    await Promise.all(Array.from({ length: this.#cluster.size }, (_, index) => this.#cluster.stop(index)));
    return { committed: this.#committed };
  }

  async #export(): Promise<Details> {
    const file = this.#options.exportSecrets;
    if (file === undefined) return {};
    await exportSecrets(this.#cluster.dataDir(PRIMARY), file);
    return { file };
  }

  /** Waits until all nodes have committed the same last entry. @returns its seqno. */
  #settled(): Promise<number> {
    const check = async () => {
      const states = await Promise.all(
        Array.from({ length: this.#cluster.size }, (_, index) => this.#cluster.client(index).state()),
      );
      const [first, ...others] = states.map(({ committed, lastSeqno }) => ({
        committed,
        lastSeqno,
        seqno: Number(committed.split(".")[1]),
      }));
      const same = first?.seqno === first?.lastSeqno && others.every((other) => other.committed === first?.committed);
      return same ? first?.seqno : undefined;
    };
    return until("all nodes have committed the same last entry", check, {
      timeoutMs: CATCH_UP_TIMEOUT_MS,
      signal: this.#cluster.signal,
    });
  }

  #acknowledge(node: number, part: Appended): void {
    this.#acknowledged.push(...part.acknowledged);
    const name = node === PRIMARY ? "acknowledgedThroughPrimary" : "acknowledgedThroughBackup";
    this.#account.count(name, (this.#account.counts[name] ?? 0) + part.acknowledged.length);
  }

  #nodeId(index: number): string {
    return this.#cluster.node(index).nodeId ?? "unknown";
  }
}

/** Writes the report, or says in one sentence why it cannot. */
export async function writeReport(file: string, report: Report): Promise<void> {
  try {
    await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
  } catch (error) {
    throw new DemoError(
      `the report cannot be written to ${file}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function refusal({ line, code, message, retryable }: Refused): string {
  return `${line.key} was refused (${code}${retryable ? "" : ", not retryable"}): ${message}`;
}

function codes(refused: readonly Refused[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { code } of refused) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
