/** `sealane history entries`: the committed entries of a range. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import { addRangeOptions, printEach, type RangeFlags, rangeOf } from "./range-options.js";
import { addServiceOptions, type ServiceOptions, withService } from "./service-options.js";

export function addHistoryEntries(history: Command, io: Io): void {
  const command = history
    .command("entries")
    .summary("print a range of entries")
    .description(
      "Print the committed entries of a range as a node shows them: public maps, and the private ones that its application lets clients read.",
    );
  addServiceOptions(addRangeOptions(command))
    .addHelpText("after", "\nExample:\n  $ sealane history entries --from 10 --to 12 --service-cert service.pem")
    .action(async (options: ServiceOptions & RangeFlags) => {
      const range = rangeOf(options);
      const { printEntry } = await import("../history/print-entry.js");
      await withService(options, (client) =>
        printEach(client.entries(range), options, (entry) => printEntry(io, entry, options.json === true)),
      );
    });
}
