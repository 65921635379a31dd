/** `sealane start`: founds a service, or goes on as the node in the directory. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import { collect } from "../values.js";
import { addNodeOptions, type NodeFlags, runNode } from "./node-options.js";

interface StartOptions extends NodeFlags {
  readonly memberCert?: readonly string[];
  readonly curve?: "P-384" | "P-256";
}

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
    .addHelpText("after", "\nExample:\n  $ sealane start --data-dir ./node0 --node 127.0.0.1:7001 --api 127.0.0.1:8001")
    .action(async (options: StartOptions) => {
      const { nativeSuite, readMember } = await import("../inputs.js");
      const paths = options.memberCert ?? [];
      const members = await Promise.all(paths.map((path) => readMember(nativeSuite, path)));
      await runNode(io, options, async () => ({
        type: "new",
        members,
        ...(options.curve === undefined ? {} : { curve: options.curve }),
      }));
    });
}
