/** What a run found, as data: printed as a table, or as JSON. */
import type { Spread } from "./statistics.js";

/** A measure of one contestant. */
export interface Measure {
  readonly what: string;
  readonly contestant: string;
  readonly unit: string;
  readonly value: Spread;
}

/** A goal of the specification of speed, and how far it is met. */
export interface Verdict {
  readonly goal: string;
  readonly what: string;
  readonly peer: string;
  /** Ours divided by the peer's, within one round; for H3 a time in ms. */
  readonly ratio: Spread;
  readonly atMost: number;
  readonly met: boolean;
}

export interface Section {
  readonly title: string;
  readonly measures: readonly Measure[];
  readonly verdicts: readonly Verdict[];
  readonly remarks: readonly string[];
}

export function verdict(goal: string, what: string, peer: string, ratio: Spread, atMost: number): Verdict {
  return { goal, what, peer, ratio, atMost, met: ratio.median <= atMost };
}

export function formatSection({ title, measures, verdicts, remarks }: Section): string {
  const lines = [title, "=".repeat(title.length)];
  const measured = measures.map(({ what, contestant, unit, value }) => [what, contestant, spread(value), unit]);
  if (measured.length > 0) lines.push("", ...table(["measure", "contestant", "median (spread)", "unit"], measured));
  const judged = verdicts.map(({ goal, what, peer, ratio, atMost, met }) => [
    goal,
    what,
    peer,
    spread(ratio),
    `<= ${atMost}`,
    met ? "met" : "NOT MET",
  ]);
  if (judged.length > 0) lines.push("", ...table(["goal", "measure", "against", "ratio (spread)", "aim", ""], judged));
  if (remarks.length > 0) lines.push("", ...remarks);
  return `${lines.join("\n")}\n`;
}

function spread({ median, min, max }: Spread): string {
  return `${digits(median)} (${digits(min)}-${digits(max)})`;
}

/** Three significant digits, and no more than a reader wants. */
function digits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(value >= 1 ? 2 : 3);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)];
}
