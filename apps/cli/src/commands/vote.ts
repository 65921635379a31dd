/** `sealane trust` and `sealane remove`: a member of the consortium votes a node in, or out. */
import type { NodeAction, NodeId } from "@sealane/wire";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { nodeId } from "../values.js";
import { addServiceOptions, type ServiceOptions, withService } from "./service-options.js";

interface VoteOptions extends ServiceOptions {
  readonly memberKey: string;
  readonly json?: boolean;
}

interface Vote {
  readonly name: string;
  readonly action: NodeAction["type"];
  readonly summary: string;
  readonly description: string;
  readonly argument: string;
  /** What is true once enough members have voted. */
  readonly outcome: string;
}

export function addTrust(program: Command, io: Io): void {
  addVote(program, io, {
    name: "trust",
    action: "trust-node",
    summary: "vote a joining node in",
    description: "Sign a ballot that trusts a pending node, and cast it. Enough members' ballots let the node in.",
    argument: "the node's id, as `sealane join` printed it",
    outcome: "the node is trusted",
  });
}

export function addRemove(program: Command, io: Io): void {
  addVote(program, io, {
    name: "remove",
    action: "remove-node",
    summary: "vote a node out, for good",
    description:
      "Sign a ballot that removes a node, and cast it. Enough members' ballots end its part; its id is used up. Stop it only once " +
      "`sealane status` shows it as retired: until then the service may need it.",
    argument: "the node's id, as `sealane status` shows it",
    outcome: "the node is removed; stop it once `sealane status` shows it as retired",
  });
}

function addVote(program: Command, io: Io, { name, action, summary, description, argument, outcome }: Vote): void {
  const command = program
    .command(name)
    .summary(summary)
    .description(description)
    .argument("<node-id>", argument, nodeId)
    .requiredOption("--member-key <file>", "a member's private key in PEM")
    .option("--json", "print the answer as one JSON line");
  addServiceOptions(command)
    .addHelpText(
      "after",
      `\nExample:\n  $ sealane ${name} 3f…e1 --service-cert service.pem --member-key data/member0.private.pem`,
    )
    .action(async (node: NodeId, options: VoteOptions) => {
      const { signBallot } = await import("../ballot.js");
      const answer = await withService(options, async (client, { certificate }) =>
        client.ballot(await signBallot(options.memberKey, certificate, { type: action, nodeId: node })),
      );
      if (options.json === true) await io.printLine(JSON.stringify(answer));
      else if (answer.status === "accepted") await io.printLine(`accepted in ${answer.txId}: ${outcome}`);
      else await io.printLine(`counted in ${answer.txId}: more members' ballots are needed`);
    });
}
