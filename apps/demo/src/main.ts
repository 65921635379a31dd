/** The demo's command: `pnpm dev`. Parses flags, starts the cluster with its page or the headless script, and ends both in order. */
import { rmSync } from "node:fs";
import { dashboard } from "./dashboard.js";
import { checkWritable, type DataDirectory, dataDirectory } from "./directories.js";
import { DemoError, sentence } from "./errors.js";
import { runHeadless, writeReport } from "./headless.js";
import { servePage } from "./http.js";
import { type Options, parseOptions } from "./options.js";
import { Cluster, DEFAULT_TIMES } from "./supervisor.js";
import { whereabouts } from "./whereabouts.js";

/** Whoever read the output is gone (`pnpm dev | head`); the cluster must still end in order. */
process.stdout.on("error", () => undefined);
process.stderr.on("error", () => undefined);

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`demo: ${sentence(error)}\n`);
    process.exit(1);
  },
);

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options === undefined) return 0;
  const ending = endSignal();
  if (options.report !== undefined) await checkWritable("the report", options.report);
  if (options.exportSecrets !== undefined) await checkWritable("the ledger secrets", options.exportSecrets);
  const directory = await dataDirectory(options.dataDir);
  // Also when the process ends at once, at a second Ctrl-C.
  if (directory.temporary)
    process.once("exit", () => rmSync(directory.path, { recursive: true, force: true, maxRetries: 3 }));
  return options.headless ? headless(options, directory, ending) : live(options, directory, ending);
}

async function headless(options: Options, directory: DataDirectory, signal: AbortSignal): Promise<number> {
  const { nodes, lines, exportSecrets } = options;
  const report = await runHeadless({
    nodes,
    lines,
    exportSecrets,
    dataDir: directory.path,
    ...directory,
    print,
    signal,
  });
  if (options.report !== undefined) await writeReport(options.report, report);
  print(
    `${report.verdict === "pass" ? "PASS" : "FAIL"} in ${(report.elapsedMs / 1_000).toFixed(1)} s${options.report === undefined ? "" : `, report in ${options.report}`}`,
  );
  return report.verdict === "pass" ? 0 : 1;
}

async function live(options: Options, directory: DataDirectory, signal: AbortSignal): Promise<number> {
  const { nodes, port } = options;
  const cluster = await Cluster.open({
    nodes,
    dataDir: directory.path,
    temporary: directory.temporary,
    basePort: port === 0 ? undefined : port,
    ...DEFAULT_TIMES,
  });
  process.prependOnceListener("exit", () => cluster.killAllNow());
  const board = dashboard(cluster);
  try {
    const page = await servePage(board, port);
    const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    print(`The page is at ${page.url}`);
    print(`Starting ${nodes === 1 ? "one node" : `${nodes} nodes`}…`);
    const up = cluster.bringUp().then(() => print(whereabouts(page.url, cluster)));
    await Promise.race([up.then(() => ended), ended]);
    print("Stopping…");
    board.end();
    await Promise.all([page.close(), cluster.close(), up.catch(() => undefined)]);
    return 0;
  } catch (error) {
    board.end();
    await cluster.close();
    throw error;
  }
}

/** Aborts at the first signal to end; a second one ends at once. */
function endSignal(): AbortSignal {
  const abort = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (abort.signal.aborted) process.exit(1);
      abort.abort(new DemoError("the demo was asked to end"));
    });
  }
  return abort.signal;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
