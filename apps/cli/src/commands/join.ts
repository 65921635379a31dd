/** `sealane join`: asks a service to let this node in, or goes on as the node in the directory. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import { nodeUrl } from "../values.js";
import { addNodeOptions, type NodeFlags, runNode } from "./node-options.js";

interface JoinOptions extends NodeFlags {
  readonly url: string;
  readonly serviceCert: string;
  readonly fromBeginning?: boolean;
}

export function addJoin(program: Command, io: Io): void {
  const command = program
    .command("join")
    .summary("join a service, or go on with a node")
    .description(
      "Ask a service to let this node in, and take part once the consortium trusts it; or go on as the node that the data " +
        "directory holds. Runs until it is stopped.",
    )
    .requiredOption("--url <url>", "where a node of the service answers", nodeUrl)
    .requiredOption("--service-cert <file>", "the service certificate in PEM: the only trust in that node")
    .option("--from-beginning", "replay the whole ledger, rather than start from the service's newest snapshot");
  addNodeOptions(command)
    .addHelpText(
      "after",
      "\nExample:\n  $ sealane join --url https://127.0.0.1:8001 --service-cert node0/service.pem --data-dir ./node1 \\\n" +
        "      --node 127.0.0.1:7002 --api 127.0.0.1:8002",
    )
    .action(async (options: JoinOptions) => {
      const { nativeSuite, readCertificate } = await import("../inputs.js");
      const { pem } = await readCertificate(nativeSuite, options.serviceCert, "the service certificate");
      const from = options.fromBeginning === true ? "beginning" : "snapshot";
      await runNode(io, options, async () => ({ type: "join", url: options.url, serviceCertificate: pem, from }));
    });
}
