/** `sealane history`: what a service has committed, asked of its nodes. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import { addHistoryEntries } from "./history-entries.js";
import { addHistoryEntry } from "./history-entry.js";
import { addHistoryKey } from "./history-key.js";

export function addHistory(program: Command, io: Io): void {
  const command = program
    .command("history")
    .summary("ask for the past: a record, a transaction, a range")
    .description(
      "Ask a service for the committed past of a record, for a transaction, or for a range of entries. What a node answers is what it says: a " +
        "receipt proves a transaction, `ledger verify` a whole ledger.",
    )
    .addHelpText("after", "\nExample:\n  $ sealane history key ship-1 --service-cert service.pem");
  addHistoryKey(command, io);
  addHistoryEntry(command, io);
  addHistoryEntries(command, io);
}
