#!/usr/bin/env node
/** The scenario command in a terminal: files and output for `scenarioCommand`. */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { scenarioCommand } from "../dist/scenario/command.js"; // not the whole package: it loads in no time

/** A package manager runs its scripts at the root; names of files mean what they meant where it was called. */
const folder = process.env.INIT_CWD ?? process.cwd();

process.exitCode = scenarioCommand(process.argv.slice(2), {
  readText: (file) => readFileSync(resolve(folder, file), "utf8"),
  writeText: (file, text) => writeFileSync(resolve(folder, file), text),
  print: (line) => void process.stdout.write(`${line}\n`),
  printError: (line) => void process.stderr.write(`${line}\n`),
});
