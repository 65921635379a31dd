/** `sealane receipt get`: makes a receipt out of a ledger directory. */
import { parseTxId, type TxId, WireError } from "@sealane/wire";
import { type Command, InvalidArgumentError } from "commander";
import type { Io } from "../io.js";
import type { GetReceiptFlags } from "../receipt/get.js";

export function addReceiptGet(receipt: Command, io: Io): void {
  receipt
    .command("get")
    .summary("make a receipt")
    .description(
      "Make the receipt of one transaction out of a ledger directory, or a node's data directory, and print it: a line of JSON, or base64 with " +
        "--cose. A receipt says that the transaction is committed and cannot be taken back, so the ledger, or you, must know that it is.",
    )
    .argument("<dir>", "the directory")
    .argument("<txid>", "the transaction, such as 2.17", txId)
    .option("--cose", "the COSE form, signed by the service itself")
    .option("--secrets <file>", 'the ledger secrets: [{"from_seqno": 1, "key": "<64 hex digits>"}]')
    .option("--claims <file>", "what the application claimed in the transaction; must be just that")
    .option("--committed", "you know that it is committed, as when the service acknowledged it")
    .addHelpText("after", "\nExample:\n  $ sealane receipt get ./node0 2.17 --secrets secrets.json > receipt.json")
    .action(async (directory: string, transaction: TxId, flags: GetReceiptFlags) => {
      const { getReceipt } = await import("../receipt/get.js");
      await getReceipt(io, directory, transaction, flags);
    });
}

function txId(text: string): TxId {
  try {
    return parseTxId(text);
  } catch (error) {
    if (error instanceof WireError) throw new InvalidArgumentError("Expected a transaction id, such as 2.17.");
    throw error;
  }
}
