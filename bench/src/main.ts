#!/usr/bin/env node
/**
 * The benchmark's command: `main.js [PART...] [--quick|--full] [--json]`, all parts unless some are named, `channel` and `ledger` standing
 * for four each. What stands behind a number: `main.js profile CONTESTANT WORK` and `main.js profile commit IN_FLIGHT`.
 */
import { parseArgs } from "node:util";
import { CHANNEL_PARTS } from "./channel/index.js";
import { profileChannel } from "./channel/profile.js";
import { benchCommit } from "./commit/index.js";
import { benchJoin } from "./commit/join.js";
import { profileCommit } from "./commit/profile.js";
import { CONTESTANTS, type ContestantName } from "./contestants/index.js";
import { LEDGER_PARTS } from "./ledger/index.js";
import { formatSection, type Section } from "./measure/report.js";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean" }, full: { type: "boolean" }, json: { type: "boolean" } },
});
const [first, contestant = "sealane", work = "stream"] = positionals;

if (first === "profile") {
  if (contestant === "commit") {
    process.stdout.write(`${(await profileCommit(Number(positionals[2] ?? 64))).join("\n")}\n`);
    process.exit();
  }
  if (!isContestant(contestant)) throw new Error(`there is no such contestant: ${contestant}`);
  process.stdout.write(`${(await profileChannel(contestant, work)).join("\n")}\n`);
} else {
  await bench(positionals);
}

async function bench(names: readonly string[]): Promise<void> {
  const full = values.full === true;
  const sections: Section[] = [];
  for (const [name, run] of Object.entries({
    ...CHANNEL_PARTS,
    ...LEDGER_PARTS,
    commit: benchCommit,
    join: benchJoin,
  })) {
    const group = name in CHANNEL_PARTS ? "channel" : name in LEDGER_PARTS ? "ledger" : name;
    if (names.length > 0 && !names.includes(name) && !names.includes(group)) continue;
    const section = await run(full);
    sections.push(section);
    if (values.json !== true) process.stdout.write(`${formatSection(section)}\n`);
  }
  if (values.json === true) process.stdout.write(`${JSON.stringify(sections, undefined, 2)}\n`);
}

function isContestant(name: string): name is ContestantName {
  return name in CONTESTANTS;
}
