/** `sealane receipt verify`: checks a receipt, with nothing but the service certificate. */
import { type Command, Option } from "commander";
import type { Io } from "../io.js";
import type { VerifyReceiptFlags } from "../receipt/verify.js";

export function addReceiptVerify(receipt: Command, io: Io): void {
  receipt
    .command("verify")
    .summary("verify a receipt")
    .description(
      "Verify a receipt, in JSON or COSE (as bytes or in base64), and print what it proves. Times are not checked.",
    )
    .argument("<file>", "the receipt")
    .addOption(
      new Option(
        "--service-cert <file>",
        "the certificate of the service that must have committed the transaction (PEM)",
      )
        .env("SEALANE_SERVICE_CERT")
        .makeOptionMandatory(),
    )
    .option("--claims <file>", "what the application is said to have claimed in the transaction")
    .option("--json", "print what is proved as one JSON line, with each step")
    .addHelpText("after", "\nExample:\n  $ sealane receipt verify receipt.json --service-cert service.pem")
    .action(async (file: string, flags: VerifyReceiptFlags) => {
      const { verifyReceiptFile } = await import("../receipt/verify.js");
      await verifyReceiptFile(io, file, flags);
    });
}
