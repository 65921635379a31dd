/** `sealane ledger`: what can be done with a ledger directory, without a node. Only `archive` changes one. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import { addLedgerArchive } from "./ledger-archive.js";
import { addLedgerFigures } from "./ledger-figures.js";
import { addLedgerRecoverSecrets } from "./ledger-recover-secrets.js";
import { addLedgerShow } from "./ledger-show.js";
import { addLedgerVerify } from "./ledger-verify.js";

export function addLedger(program: Command, io: Io): void {
  const command = program
    .command("ledger")
    .summary("verify, show, count, archive or open a ledger directory")
    .description(
      "Verify a ledger directory, show it, print figures of it, archive its oldest chunks, or recover its secrets. Needs no node.",
    )
    .addHelpText("after", "\nExample:\n  $ sealane ledger verify ./node0");
  addLedgerVerify(command, io);
  addLedgerShow(command, io);
  addLedgerFigures(command, io);
  addLedgerArchive(command, io);
  addLedgerRecoverSecrets(command, io);
}
