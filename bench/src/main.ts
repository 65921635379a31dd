#!/usr/bin/env node
/**
 * The benchmark's command: `main.js [PART...] [--quick|--full] [--json]`, all parts unless some are named, `channel` standing for four of
 * them; and `main.js profile CONTESTANT WORK` for what stands behind a number.
 */
import { parseArgs } from "node:util";
import { CHANNEL_PARTS } from "./channel/index.js";
import { profileChannel } from "./channel/profile.js";
import { CONTESTANTS, type ContestantName } from "./contestants/index.js";
import { formatSection, type Section } from "./measure/report.js";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean" }, full: { type: "boolean" }, json: { type: "boolean" } },
});
const [first, contestant = "sealane", work = "stream"] = positionals;

if (first === "profile") {
  if (!isContestant(contestant)) throw new Error(`there is no such contestant: ${contestant}`);
  process.stdout.write(`${(await profileChannel(contestant, work)).join("\n")}\n`);
} else {
  await bench(positionals);
}

async function bench(names: readonly string[]): Promise<void> {
  const full = values.full === true;
  const parts = Object.entries(CHANNEL_PARTS).filter(
    ([name]) => names.length === 0 || names.includes(name) || names.includes("channel"),
  );
  const sections: Section[] = [];
  for (const [, run] of parts) {
    const section = await run(full);
    sections.push(section);
    if (values.json !== true) process.stdout.write(`${formatSection(section)}\n`);
  }
  if (values.json === true) process.stdout.write(`${JSON.stringify(sections, undefined, 2)}\n`);
}

function isContestant(name: string): name is ContestantName {
  return name in CONTESTANTS;
}
