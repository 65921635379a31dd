/**
 * `pnpm conformance:ledger`: reads every ledger of a folder of ledgers that another implementation wrote, and reproduces all the figures and
 * receipts that come with them. Exit code 0 only if nothing differs; where the folder is absent it says so and is done.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { conformLedger, type ExpectedLedger } from "./conform-ledger.js";
import { head, line, type Row } from "./report.js";

/** Beside the repository, unless SEALANE_SHARED names another folder. */
const shared = process.env.SEALANE_SHARED ?? fileURLToPath(new URL("../../../../../shared", import.meta.url));
const folder = join(shared, "ccf-ledgers");

if (existsSync(join(folder, "expected.json"))) process.exitCode = await conformAll();
else process.stdout.write(`Skipped: there are no ledgers in ${folder}. SEALANE_SHARED names the folder around it.\n`);

async function conformAll(): Promise<number> {
  const expected: Record<string, ExpectedLedger> = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8"));
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = [...new Set([...Object.keys(expected), ...folders.map(({ name }) => name)])].sort();
  process.stdout.write(head());
  let failed = 0;
  for (const name of names) {
    const row = await conform(name, expected[name]);
    process.stdout.write(line(row));
    if (row.differences.length > 0) failed++;
  }
  const verdict =
    failed === 0 ? `All ${names.length} ledgers are as expected.` : `${failed} of ${names.length} differ.`;
  process.stdout.write(`${verdict}\n`);
  return failed === 0 ? 0 : 1;
}

async function conform(name: string, expected: ExpectedLedger | undefined): Promise<Row> {
  if (expected === undefined) return { name, differences: ["no figures are expected of it"] };
  try {
    const { counts, figures, transactions, receipts } = await conformLedger(join(folder, name), expected);
    const all = [figures, transactions, receipts];
    const values = all.reduce((total, comparison) => total + comparison.values, 0);
    return { name, counts: { ...counts, values }, differences: all.flatMap(({ differences }) => differences) };
  } catch (error) {
    return { name, differences: [error instanceof Error ? error.message : String(error)] };
  }
}
