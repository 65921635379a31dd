#!/usr/bin/env node
/** The simulation command in a terminal: files, output, and a thread for each run that goes on at a time. */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import process from "node:process";
import { isMainThread, parentPort, Worker } from "node:worker_threads";

const WORKERS_MAX = 2;

if (isMainThread) await main();
else await serve();

async function main() {
  const { simulationCommand } = await import("../dist/simulation/command.js");
  /** A package manager runs its scripts at the root; names of files mean what they meant where it was called. */
  const folder = process.env.INIT_CWD ?? process.cwd();
  const idle = [];
  const all = [];
  /** Gives a task to a thread that has none. The command asks for no more than `workers` at a time. */
  const ask = (task) => {
    const worker = idle.pop() ?? new Worker(new URL(import.meta.url));
    if (!all.includes(worker)) all.push(worker);
    return new Promise((fulfil, reject) => {
      worker.once("error", reject);
      worker.once("message", (summary) => {
        worker.off("error", reject);
        idle.push(worker);
        fulfil(summary ?? undefined);
      });
      worker.postMessage(task);
    });
  };
  process.exitCode = await simulationCommand(process.argv.slice(2), {
    workers: Math.min(WORKERS_MAX, availableParallelism()),
    run: (settings) => ask({ type: "run", settings }),
    shrink: (settings) => ask({ type: "shrink", settings }),
    nowMs: () => performance.now(),
    readText: (file) => readFileSync(resolve(folder, file), "utf8"),
    writeText: (file, text) => writeFileSync(resolve(folder, file), text),
    print: (line) => void process.stdout.write(`${line}\n`),
    printError: (line) => void process.stderr.write(`${line}\n`),
  });
  for (const worker of all) await worker.terminate();
}

async function serve() {
  const { runSettings, shrinkSettings } = await import("../dist/simulation/settings.js");
  const { nativeSuite } = await import("@sealane/crypto/native");
  parentPort.on("message", ({ type, settings }) => {
    const work = type === "run" ? runSettings : shrinkSettings;
    parentPort.postMessage(work(settings, { native: nativeSuite }) ?? null);
  });
}
