/** `sealane receipt get`: asks a node for a receipt, or makes one out of a ledger directory. */
import type { TxId } from "@sealane/wire";
import { type Command, Option } from "commander";
import type { Io } from "../io.js";
import type { GetReceiptFlags } from "../receipt/get.js";
import { nodeUrl, txId, wholeNumber } from "../values.js";

const TIMEOUT_MS_DEFAULT = 30_000;
const TIMEOUT_MS_MAX = 3_600_000;

export function addReceiptGet(receipt: Command, io: Io): void {
  receipt
    .command("get")
    .summary("get a receipt")
    .description(
      "Get the receipt of one transaction from a node, or make it out of a ledger directory or a node's data directory, and print it: a line of " +
        "JSON, or base64 with --cose. A receipt says that the transaction is committed and cannot be taken back: a node waits for that, and of a " +
        "directory the ledger, or you, must know that it is.",
    )
    .argument("<from>", "the directory, or where a node answers, such as https://127.0.0.1:8001")
    .argument("<txid>", "the transaction, such as 2.17", txId)
    .option("--cose", "the COSE form, signed by the service itself")
    .addOption(
      new Option(
        "--service-cert <file>",
        "from a node: the service certificate in PEM; the receipt is verified with it",
      ).env("SEALANE_SERVICE_CERT"),
    )
    .option(
      "--timeout <ms>",
      "from a node: give up after this time",
      wholeNumber(1, TIMEOUT_MS_MAX),
      TIMEOUT_MS_DEFAULT,
    )
    .option("--secrets <file>", 'from a directory: the ledger secrets: [{"from_seqno": 1, "key": "<64 hex digits>"}]')
    .option("--claims <file>", "what the application claimed in the transaction; must be just that")
    .option("--committed", "from a directory: you know that it is committed, as when the service acknowledged it")
    .addHelpText(
      "after",
      "\nExample:\n  $ sealane receipt get https://127.0.0.1:8001 2.17 --service-cert service.pem > receipt.json\n  $ sealane receipt get ./node0 2.17 --secrets secrets.json > receipt.json",
    )
    .action(async (from: string, transaction: TxId, flags: GetReceiptFlags) => {
      if (from.startsWith("https:")) {
        const { askReceipt } = await import("../receipt/ask.js");
        await askReceipt(io, nodeUrl(from), transaction, flags);
        return;
      }
      const { getReceipt } = await import("../receipt/get.js");
      await getReceipt(io, from, transaction, flags);
    });
}
