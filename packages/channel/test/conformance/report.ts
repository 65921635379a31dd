/** The judgement as text for people: a table, the list of what is stricter on purpose, and what is wrong. */
import { AS_RECORDED } from "./declared.js";
import type { CaseVerdict, Judgement, SideVerdict } from "./judge.js";

const HEAD = ["case", "category", "events", "messages", "held", "retried", "side A", "side B"];

export function report({ cases, faults }: Judgement): string {
  const rows = [HEAD, ...cases.map(rowOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const stricter = cases.flatMap(({ name, category, sides }) =>
    sides
      .filter(({ why }) => why !== undefined)
      .map(({ side, why, differs }) => `  ${name} (${category}, side ${side}): ${why}.\n      ${differs.join("; ")}`),
  );
  const sides = cases.flatMap((one) => one.sides);
  return [
    ...lines,
    "",
    "held: records that a recorded responder sends before the final; ours sends the same bytes right behind it.",
    "retried: inits that a recorded node sends with its next record; ours sends the same bytes by the clock.",
    "",
    "Stricter on purpose:",
    ...stricter,
    "As recorded, since the bytes leave no choice:",
    ...Object.entries(AS_RECORDED).map(([name, why]) => `  ${name}: ${why}.`),
    "",
    `${cases.length} cases, ${sides.length} sides, ${sum(sides, "events")} events, ${sum(sides, "messages")} messages compared, ${sum(sides, "prefixes")} prefixes refused.`,
    ...(faults.length === 0
      ? ["Everything is as declared."]
      : ["NOT as declared:", ...faults.map((fault) => `  ${fault}`)]),
    "",
  ].join("\n");
}

function rowOf({ name, category, sides }: CaseVerdict): string[] {
  const counts = (["events", "messages", "held", "retried"] as const).map((what) => String(sum(sides, what)));
  return [name, category, ...counts, ...sides.map(wordOf)];
}

function wordOf({ replayed, why, undeclared }: SideVerdict): string {
  if (undeclared.length > 0) return "NOT AS DECLARED";
  if (why !== undefined) return "stricter";
  return replayed === undefined || replayed.events === 0 ? "-" : "as recorded";
}

function sum(sides: readonly SideVerdict[], what: "events" | "messages" | "held" | "retried" | "prefixes"): number {
  return sides.reduce((total, { replayed }) => total + (replayed?.[what] ?? 0), 0);
}
