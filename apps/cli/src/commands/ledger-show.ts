/** `sealane ledger show`: prints the entries of a ledger directory. */

import type { Command } from "commander";
import type { Io } from "../io.js";
import type { ShowOptions } from "../ledger/show.js";
import { wholeNumber } from "../values.js";

const seqnoArgument = wholeNumber(1, Number.MAX_SAFE_INTEGER);

export function addLedgerShow(ledger: Command, io: Io): void {
  ledger
    .command("show")
    .summary("print entries")
    .description(
      "Print the entries of a ledger directory, or of a node's data directory. Checks each entry by itself; for the whole use verify.",
    )
    .argument("<dir>", "the directory")
    .option("--from <seqno>", "the first entry", seqnoArgument, 1)
    .option("--to <seqno>", "the last entry (default: all)", seqnoArgument)
    .option("--secrets <file>", 'decrypts private maps: [{"from_seqno": 1, "key": "<64 hex digits>"}]')
    .option("--json", "print each entry as one JSON line")
    .addHelpText("after", "\nExample:\n  $ sealane ledger show ./node0 --from 10 --to 12")
    .action(async (directory: string, options: ShowOptions) => {
      const { show } = await import("../ledger/show.js");
      await show(io, directory, options);
    });
}
