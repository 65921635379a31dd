/** `sealane start`: founds a service, or goes on as the node in the directory. */
import type { Command } from "commander";
import { CliError, EXIT_USAGE } from "../cli-error.js";
import type { Io } from "../io.js";
import { collect, wholeNumber } from "../values.js";
import { addNodeOptions, type NodeFlags, runNode } from "./node-options.js";

interface StartOptions extends NodeFlags {
  readonly memberCert?: readonly string[];
  readonly curve?: "P-384" | "P-256";
  readonly memberEncryptionKey?: readonly string[];
  readonly recoveryThreshold?: number;
}

/** Members of a consortium. */
const MEMBERS_MAX = 1_024;

export function addStart(program: Command, io: Io): void {
  const command = program
    .command("start")
    .summary("start a new service, or go on with a node")
    .description(
      "Start the first node of a new service, or go on as the node that the data directory holds. Runs until it is stopped.",
    );
  addNodeOptions(command)
    .option(
      "--member-cert <file>",
      "a member's certificate or public key in PEM; repeat it for each (default: a first member is made)",
      collect((text) => text),
    )
    .addOption(
      command
        .createOption("--curve <curve>", "of a new service's keys (default: P-384); on P-256 single writes cost less")
        .choices(["P-384", "P-256"]),
    )
    .option(
      "--member-encryption-key <file>",
      "that member's public encryption key in PEM, for its share of the ledger secrets; as often as --member-cert, in the same order",
      collect((text) => text),
    )
    .option(
      "--recovery-threshold <n>",
      "so many members' shares recover the ledger secrets (default: more than half)",
      wholeNumber(1, MEMBERS_MAX),
    )
    .addHelpText("after", "\nExample:\n  $ sealane start --data-dir ./node0 --node 127.0.0.1:7001 --api 127.0.0.1:8001")
    .action(async (options: StartOptions) => {
      const { memberCert = [], memberEncryptionKey, recoveryThreshold } = options;
      if (memberEncryptionKey !== undefined && memberEncryptionKey.length !== memberCert.length) {
        const message = "give --member-encryption-key as often as --member-cert, in the same order, or not at all";
        throw new CliError(message, { exitCode: EXIT_USAGE });
      }
      const { nativeSuite, readMember, readText } = await import("../inputs.js");
      const certificates = await Promise.all(memberCert.map((path) => readMember(nativeSuite, path)));
      const keys = await Promise.all(
        (memberEncryptionKey ?? []).map((path) => readText(path, "a member's public encryption key")),
      );
      const members = certificates.map((certificate, index) => {
        const encryptionKey = keys[index];
        return encryptionKey === undefined ? certificate : { certificate, encryptionKey };
      });
      const threshold = recoveryThreshold === undefined ? {} : { recoveryThreshold };
      const curve = options.curve === undefined ? {} : { curve: options.curve };
      await runNode(io, options, async () => ({ type: "new", members, ...threshold, ...curve }));
    });
}
