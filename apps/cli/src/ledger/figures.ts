/** Prints the figures of a ledger, line by line as they are found. */
import { basename, resolve } from "node:path";
import { type FiguresResult, ledgerFigures, type TransactionFigures } from "@sealane/ledger";
import { fileDigest, snapshotDirectory } from "@sealane/ledger/files";
import { CliError } from "../cli-error.js";
import { nativeSuite } from "../inputs.js";
import type { Io } from "../io.js";
import { openDirectory, snapshotsOf } from "./directory.js";
import { readLedgerSecrets } from "./secrets.js";
import { refusal } from "./verify.js";

export interface FiguresFlags {
  readonly secrets?: string;
}

/** @throws {CliError} that names the first bad entry, or snapshot; the lines before it have been printed. */
export async function figures(io: Io, directory: string, { secrets }: FiguresFlags): Promise<void> {
  const source = await openDirectory(directory);
  const keys = secrets === undefined ? undefined : await readLedgerSecrets(secrets);
  const snapshots = await snapshotsOf(directory);
  const lines = ledgerFigures(source, {
    suite: nativeSuite,
    digestOf: fileDigest,
    ...(keys && { secrets: keys }),
    ...(snapshots !== undefined && { snapshots: snapshotDirectory(snapshots) }),
  });
  let step: IteratorResult<TransactionFigures, FiguresResult> = await lines.next();
  for (; step.done !== true; step = await lines.next()) {
    if (!(await io.printLine(JSON.stringify(step.value)))) return;
  }
  const result = step.value;
  if (!result.ok) throw new CliError(refusal(result));
  await io.printLine(JSON.stringify({ ledger: basename(resolve(directory)), ...result.figures }));
}
