/** `pnpm conformance:channel`: version 1 against the recorded exchanges of existing nodes. Exit code 0 only when everything is as declared. */
import { judge } from "./judge.js";
import { report } from "./report.js";
import { readVectors, vectorsFile } from "./vectors.js";

const vectors = readVectors();
if (vectors === undefined) {
  process.stdout.write(`Skipped: there is no ${vectorsFile()}. SEALANE_SHARED names the folder it is looked for in.\n`);
} else {
  const judgement = judge(vectors);
  process.stdout.write(report(judgement));
  if (judgement.faults.length > 0) process.exitCode = 1;
}
