/**
 * Plants every fault of consensus spec §16 in turn and shows what catches it. Fails when a fault survives, or when something is
 * caught in a core that has none.
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { startVitest } from "vitest/node";

const root = fileURLToPath(new URL("../..", import.meta.url));
const started = Date.now();
const vitest = await startVitest("test", [], {
  root,
  config: "vitest.mutants.config.ts",
  watch: false,
  reporters: [{}],
});

const rows = new Map();
for (const module of vitest.state.getTestModules()) {
  const { name, config } = module.project;
  const row = rows.get(name) ?? {
    what: config.provide.what,
    own: [],
    public: [],
    simulation: [],
    specification: 0,
    broken: [],
  };
  rows.set(name, row);
  for (const each of module.errors()) row.broken.push(each.message);
  for (const test of module.children.allTests()) {
    const judged = test.meta().caughtBy;
    if (judged !== undefined) for (const kind of ["own", "public", "simulation"]) row[kind].push(...judged[kind]);
    else if (module.moduleId.endsWith(".mutant.ts")) row.broken.push(test.result().errors?.[0]?.message);
    else if (test.result().state === "failed") row.specification += 1;
  }
}
await vitest.close();

let failed = false;
const say = (line) => void process.stdout.write(`${line}\n`);
say("| fault | | own scenarios | public scenarios | simulation | specification tests |\n|---|---|---|---|---|---|");
const inOrder = [...rows].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
for (const [name, row] of inOrder) {
  const caught = row.own.length + row.public.length + row.simulation.length + row.specification > 0;
  const wrong = row.broken.length > 0 || caught === (name === "none");
  failed ||= wrong;
  say(
    `| ${name} | ${row.what} | ${few(row.own)} | ${few(row.public)} | ${few(row.simulation)} | ${row.specification || "–"} |`,
  );
  if (wrong) say(`  ${name}: ${row.broken.join("; ") || (caught ? "something fails without a fault" : "SURVIVES")}`);
}
const faults = [...rows.keys()].filter((name) => name !== "none").length;
say(
  `${faults} faults, ${failed ? "not all as it should be" : "all caught"}, ${Math.round((Date.now() - started) / 1000)} s`,
);
process.exitCode = failed ? 1 : 0;

/** The first two, and how many more. */
function few(names) {
  if (names.length === 0) return "–";
  return `${names.slice(0, 2).join(", ")}${names.length > 2 ? ` and ${names.length - 2} more` : ""}`;
}
