/** `sealane history entry`: one transaction's entry. */
import { formatTxId, type TxId } from "@sealane/wire";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { txId } from "../values.js";
import { addServiceOptions, type ServiceOptions, withService } from "./service-options.js";

export function addHistoryEntry(history: Command, io: Io): void {
  const command = history
    .command("entry")
    .summary("print one transaction")
    .description("Print the entry of one transaction as a node shows it; waits until it is committed.")
    .argument("<txid>", "the transaction, such as 2.17", txId)
    .option("--json", "print it as one JSON line");
  addServiceOptions(command)
    .addHelpText("after", "\nExample:\n  $ sealane history entry 2.17 --service-cert service.pem")
    .action(async (transaction: TxId, options: ServiceOptions & { readonly json?: boolean }) => {
      const { printEntry } = await import("../history/print-entry.js");
      await withService(options, async (client) => {
        await printEntry(io, await client.entry(formatTxId(transaction)), options.json === true);
      });
    });
}
