/** `sealane trust`, `sealane remove` and `sealane transfer`: a member of the consortium votes a node in, out, or to the head of the service. */
import type { Client } from "@sealane/client";
import type { GovernanceAction, NodeId } from "@sealane/wire";
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
  /** What the ballot is for, as the service is now. */
  action(nodeId: NodeId, client: Client): GovernanceAction | Promise<GovernanceAction>;
  readonly summary: string;
  readonly description: string;
  readonly argument: string;
  /** What is true once enough members have voted. */
  readonly outcome: string;
}

export function addTrust(program: Command, io: Io): void {
  addVote(program, io, {
    name: "trust",
    action: (nodeId) => ({ type: "trust-node", nodeId }),
    summary: "vote a joining node in",
    description: "Sign a ballot that trusts a pending node, and cast it. Enough members' ballots let the node in.",
    argument: "the node's id, as `sealane join` printed it",
    outcome: "the node is trusted",
  });
}

export function addRemove(program: Command, io: Io): void {
  addVote(program, io, {
    name: "remove",
    action: (nodeId) => ({ type: "remove-node", nodeId }),
    summary: "vote a node out, for good",
    description:
      "Sign a ballot that removes a node, and cast it. Enough members' ballots end its part; its id is used up. Stop it only once " +
      "`sealane status` shows it as retired: until then the service may need it.",
    argument: "the node's id, as `sealane status` shows it",
    outcome: "the node is removed; stop it once `sealane status` shows it as retired",
  });
}

export function addTransfer(program: Command, io: Io): void {
  addVote(program, io, {
    name: "transfer",
    action: async (nodeId, client) => ({ type: "transfer-primary", nodeId, view: (await client.network()).view }),
    summary: "hand the primary's role to a node",
    description:
      "Sign a ballot that makes a node the primary, and cast it. Enough members' ballots in one view have the primary hand over as soon as " +
      "that node has caught up; writes wait meanwhile. If it does not within an election timeout, the primary goes on.",
    argument: "the node's id, as `sealane status` shows it",
    outcome: "the primary hands over; `sealane status` shows when it has",
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
        client.ballot(await signBallot(options.memberKey, certificate, await action(node, client))),
      );
      if (options.json === true) await io.printLine(JSON.stringify(answer));
      else if (answer.status === "accepted") await io.printLine(`accepted in ${answer.txId}: ${outcome}`);
      else await io.printLine(`counted in ${answer.txId}: more members' ballots are needed`);
    });
}
