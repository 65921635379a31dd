/** `sealane recover`: goes on alone with the node in a directory, when a majority of its service is lost for good. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import { addNodeOptions, type NodeFlags, runNode } from "./node-options.js";

export function addRecover(program: Command, io: Io): void {
  const command = program
    .command("recover")
    .summary("go on with one node when a majority is lost for good")
    .description(
      "Start the node in the data directory as the only one of its service, under a new service identity, with everything that it holds up " +
        "to its last signature. The other nodes are out for good, and what only they had is lost: recover the node that has most, as " +
        "`sealane ledger verify` shows. Clients, members and new nodes need the new service.pem. Runs until it is stopped.",
    );
  addNodeOptions(command)
    .requiredOption("--majority-is-lost", "that this is so; a node that is only down comes back with `sealane start`")
    .addHelpText("after", "\nExample:\n  $ sealane recover --data-dir ./node2 --majority-is-lost")
    .action((flags: NodeFlags) => runNode(io, flags, async () => ({ type: "recover" }), "recover"));
}
