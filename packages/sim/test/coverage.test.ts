/** The tables of docs/consensus-coverage.md name scenarios and switches that exist, and leave none of the switches of spec §16 out. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { FAULTS } from "./mutants/faults.js";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const text = readFileSync(at("../../../docs/consensus-coverage.md"), "utf8");
const scenarios = readdirSync(at("../../consensus/scenarios"));
const switches = FAULTS.map(({ name }) => name);
/** What stands between backticks in the rows of the tables of one section, by row. */
const rows = text.split("\n").flatMap((line) => {
  const [, row = "", ...cells] = line.split("|").map((cell) => cell.trim());
  return /^(B?\d+'?)$/.test(row)
    ? [{ row, names: [...cells.join(" ").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name) }]
    : [];
});

test("every row of §16 has a switch and a scenario of our own", () => {
  expect(rows).toHaveLength(16 + 18);
  for (const { row, names } of rows) {
    expect([row, names.some((name) => switches.includes(name))]).toEqual([row, true]);
    expect([row, names.some((name) => scenarios.includes(name))]).toEqual([row, true]);
  }
});

test("whatever looks like the name of a scenario is one", () => {
  const named = [...text.matchAll(/`([a-z0-9]+(?:_[a-z0-9]+)+)`/g)].map(([, name]) => name);
  expect(named.filter((name = "") => !scenarios.includes(name))).toEqual([]);
});

test("no switch of §16 is left out", () => {
  const named = new Set(rows.flatMap(({ names }) => names));
  expect(switches.filter((name) => /^[BT]\d/.test(name) && !named.has(name))).toEqual([]);
});
