/** The table that `pnpm conformance:ledger` prints. */
import type { Conformance } from "./conform-ledger.js";

export interface Row {
  readonly name: string;
  /** Absent where the ledger could not be read to its end. */
  readonly counts?: Conformance["counts"] & { readonly values: number };
  readonly differences: readonly string[];
}

const COLUMNS = [
  ["transactions", "transactions"],
  ["signatures", "signatures"],
  ["coseSignatures", "in COSE"],
  ["snapshots", "snapshots"],
  ["receipts", "receipts"],
  ["coseReceipts", "in COSE"],
  ["values", "values compared"],
] as const;
const NAME_WIDTH = 24;
const GAP = "  ";
/** Lines shown of what differs in one ledger. */
const DIFFERENCES_SHOWN = 20;

export function head(): string {
  return `${"ledger".padEnd(NAME_WIDTH)}${COLUMNS.map(([, title]) => GAP + title).join("")}${GAP}result\n`;
}

export function line({ name, counts, differences }: Row): string {
  const numbers = COLUMNS.map(([field, title]) => GAP + String(counts?.[field] ?? "-").padStart(title.length));
  const result = differences.length === 0 ? "equal" : `${differences.length} differ`;
  const shown = differences.slice(0, DIFFERENCES_SHOWN).map((difference) => `${GAP}${difference}\n`);
  const more = differences.length - shown.length;
  if (more > 0) shown.push(`${GAP}… and ${more} more\n`);
  return `${name.padEnd(NAME_WIDTH)}${numbers.join("")}${GAP}${result}\n${shown.join("")}`;
}
