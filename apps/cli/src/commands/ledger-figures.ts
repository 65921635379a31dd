/** `sealane ledger figures`: what any reader of the format must find in a ledger directory. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import type { FiguresFlags } from "../ledger/figures.js";

export function addLedgerFigures(ledger: Command, io: Io): void {
  ledger
    .command("figures")
    .summary("print figures to compare")
    .description(
      "Verify a ledger directory and print its figures as JSON lines, to compare with those of another reader: one line for each entry, " +
        "then one for the whole, with files, signatures, roots, digests of the state, and snapshots if there are any in snapshots/.",
    )
    .argument("<dir>", "the directory")
    .option(
      "--secrets <file>",
      'opens private maps and makes commit evidence: [{"from_seqno": 1, "key": "<64 hex digits>"}]',
    )
    .addHelpText("after", "\nExample:\n  $ sealane ledger figures ./node0 --secrets secrets.json")
    .action(async (directory: string, flags: FiguresFlags) => {
      const { figures } = await import("../ledger/figures.js");
      await figures(io, directory, flags);
    });
}
