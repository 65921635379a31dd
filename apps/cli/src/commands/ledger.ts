/** `sealane ledger`: what can be done with a ledger directory, without a node. Nothing here writes to it. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import { addLedgerFigures } from "./ledger-figures.js";
import { addLedgerShow } from "./ledger-show.js";
import { addLedgerVerify } from "./ledger-verify.js";

export function addLedger(program: Command, io: Io): void {
  const command = program
    .command("ledger")
    .summary("verify, show or count a ledger directory")
    .description("Verify a ledger directory, show it, or print figures of it. Needs no node, and changes nothing.")
    .addHelpText("after", "\nExample:\n  $ sealane ledger verify ./node0");
  addLedgerVerify(command, io);
  addLedgerShow(command, io);
  addLedgerFigures(command, io);
}
