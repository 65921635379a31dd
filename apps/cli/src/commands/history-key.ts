/** `sealane history key`: every committed change of one record. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import { addRangeOptions, printEach, type RangeFlags, rangeOf } from "./range-options.js";
import { recordKey } from "./record-key.js";
import { addServiceOptions, type ServiceOptions, withService } from "./service-options.js";

export function addHistoryKey(history: Command, io: Io): void {
  const command = history
    .command("key")
    .summary("print the changes of a record")
    .description("Print every committed change of one record: the transaction that made it and the value as JSON.")
    .argument("<key>", "the record's key", recordKey);
  addServiceOptions(addRangeOptions(command))
    .addHelpText(
      "after",
      "\nExample:\n  $ sealane history key ship-1 --newest-first --limit 3 --service-cert service.pem",
    )
    .action(async (key: string, options: ServiceOptions & RangeFlags) => {
      const range = rangeOf(options);
      await withService(options, (client) =>
        printEach(client.history(key, range), options, (change) =>
          io.printLine(
            options.json === true
              ? JSON.stringify(change)
              : `${change.txId}  ${"removed" in change ? "removed" : JSON.stringify(change.value)}`,
          ),
        ),
      );
    });
}
