/** `sealane trust`: a member of the consortium votes a joining node in. */
import type { NodeId } from "@sealane/wire";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { nodeId } from "../values.js";
import { addServiceOptions, type ServiceOptions, withService } from "./service-options.js";

interface TrustOptions extends ServiceOptions {
  readonly memberKey: string;
  readonly json?: boolean;
}

export function addTrust(program: Command, io: Io): void {
  const command = program
    .command("trust")
    .summary("vote a joining node in")
    .description("Sign a ballot that trusts a pending node, and cast it. Enough members' ballots let the node in.")
    .argument("<node-id>", "the node's id, as `sealane join` printed it", nodeId)
    .requiredOption("--member-key <file>", "a member's private key in PEM")
    .option("--json", "print the answer as one JSON line");
  addServiceOptions(command)
    .addHelpText(
      "after",
      "\nExample:\n  $ sealane trust 3f…e1 --service-cert service.pem --member-key data/member0.private.pem",
    )
    .action((node: NodeId, options: TrustOptions) => trust(io, node, options));
}

async function trust(io: Io, node: NodeId, options: TrustOptions): Promise<void> {
  const { signBallot } = await import("../ballot.js");
  const answer = await withService(options, async (client, { certificate }) =>
    client.ballot(await signBallot(options.memberKey, certificate, { type: "trust-node", nodeId: node })),
  );
  if (options.json === true) await io.printLine(JSON.stringify(answer));
  else if (answer.status === "accepted") await io.printLine(`accepted in ${answer.txId}: the node is trusted`);
  else await io.printLine(`counted in ${answer.txId}: more members' ballots are needed`);
}
