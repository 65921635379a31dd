/** `sealane ledger recover-secrets`: the ledger secrets out of a ledger and its members' keys. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import type { RecoverFlags } from "../ledger/recover-secrets.js";
import { collect } from "../values.js";

export function addLedgerRecoverSecrets(ledger: Command, io: Io): void {
  ledger
    .command("recover-secrets")
    .summary("recover the ledger secrets with members' keys")
    .description(
      "Recover the secrets a ledger is encrypted with, from the ledger itself and the private encryption keys of enough of its service's members. " +
        "Needs no node, and works when all are lost. The file opens the ledger to anybody who has it.",
    )
    .argument("<dir>", "the ledger directory, or a node's data directory")
    .requiredOption(
      "--encryption-key <file>",
      "a member's private encryption key in PEM; repeat it for each member",
      collect((text) => text),
    )
    .requiredOption(
      "--out <file>",
      "where to write the secrets, for --secrets of other commands; must not be there yet",
    )
    .addHelpText(
      "after",
      "\nExample:\n  $ sealane ledger recover-secrets ./node0 --encryption-key member0.encryption.private.pem --out secrets.json",
    )
    .action(async (directory: string, flags: RecoverFlags) => {
      const { recover } = await import("../ledger/recover-secrets.js");
      await recover(io, directory, flags);
    });
}
