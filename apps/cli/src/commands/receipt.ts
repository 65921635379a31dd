/** `sealane receipt`: proofs that one transaction was committed, for whoever has neither the ledger nor a node. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import { addReceiptGet } from "./receipt-get.js";
import { addReceiptVerify } from "./receipt-verify.js";

export function addReceipt(program: Command, io: Io): void {
  const command = program
    .command("receipt")
    .summary("make or verify a receipt of a transaction")
    .description(
      "Make a receipt of a transaction out of a ledger directory, or verify one. Needs no node, and changes nothing.",
    )
    .addHelpText("after", "\nExample:\n  $ sealane receipt verify receipt.json --service-cert service.pem");
  addReceiptGet(command, io);
  addReceiptVerify(command, io);
}
