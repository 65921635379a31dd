/** `sealane ledger verify`: checks a ledger directory from its first entry to its last. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import type { VerifyOptions } from "../ledger/verify.js";

export function addLedgerVerify(ledger: Command, io: Io): void {
  ledger
    .command("verify")
    .summary("check everything")
    .description(
      "Check a ledger directory, or a node's data directory: every entry, the Merkle tree, every signature and who may sign, and the snapshots in " +
        "snapshots/. The first bad entry is named. A ledger whose oldest chunks were archived is checked from its oldest snapshot on.",
    )
    .argument("<dir>", "the directory")
    .option("--secrets <file>", 'checks the encryption too: [{"from_seqno": 1, "key": "<64 hex digits>"}]')
    .option("--service-cert <file>", "the ledger must belong to the service with this certificate (PEM)")
    .option("--json", "print the result as one JSON line")
    .addHelpText("after", "\nExample:\n  $ sealane ledger verify ./node0 --service-cert service.pem")
    .action(async (directory: string, options: VerifyOptions) => {
      const { verify } = await import("../ledger/verify.js");
      await verify(io, directory, options);
    });
}
