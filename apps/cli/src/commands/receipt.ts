/** `sealane receipt`: proofs that one transaction was committed, for whoever has neither the ledger nor a node. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import { addReceiptGet } from "./receipt-get.js";
import { addReceiptVerify } from "./receipt-verify.js";

export function addReceipt(program: Command, io: Io): void {
  const command = program
    .command("receipt")
    .summary("get or verify a receipt of a transaction")
    .description(
      "Get a receipt of a transaction from a node or out of a ledger directory, or verify one, which needs neither.",
    )
    .addHelpText("after", "\nExample:\n  $ sealane receipt verify receipt.json --service-cert service.pem");
  addReceiptGet(command, io);
  addReceiptVerify(command, io);
}
