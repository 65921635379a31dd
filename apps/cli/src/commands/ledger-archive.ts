/** `sealane ledger archive`: moves the chunks that a snapshot stands for to another directory. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import type { ArchiveFlags } from "../ledger/archive.js";
import { wholeNumber } from "../values.js";

export function addLedgerArchive(ledger: Command, io: Io): void {
  ledger
    .command("archive")
    .summary("move old chunks away")
    .description(
      "Move the committed chunks below the oldest committed snapshot out of a ledger directory, or of a node's data directory. The node " +
        "starts from the snapshot then. Keep what was moved: only with it the ledger can be verified from its first entry.",
    )
    .argument("<dir>", "the directory")
    .argument("<target>", "where the chunks go; created if it is missing")
    .option("--below <seqno>", "only chunks that end before this entry", wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option("--secrets <file>", 'checks the snapshot\'s encryption too: [{"from_seqno": 1, "key": "<64 hex digits>"}]')
    .option("--service-cert <file>", "the snapshot must belong to the service with this certificate (PEM)")
    .addHelpText("after", "\nExample:\n  $ sealane ledger archive ./node0 /mnt/archive/node0")
    .action(async (directory: string, target: string, flags: ArchiveFlags) => {
      const { archive } = await import("../ledger/archive.js");
      await archive(io, directory, target, flags);
    });
}
