/** `sealane rotate-secret`: a member of the consortium votes for a new ledger secret. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import { addServiceOptions, type ServiceOptions, withService } from "./service-options.js";

interface RotateOptions extends ServiceOptions {
  readonly memberKey: string;
  readonly json?: boolean;
}

export function addRotateSecret(program: Command, io: Io): void {
  const command = program
    .command("rotate-secret")
    .summary("vote for a new ledger secret")
    .description(
      "Sign a ballot that replaces the secret the ledger is encrypted with, and cast it. Enough members' ballots replace it; what was written " +
        "before stays under the old one.",
    )
    .requiredOption("--member-key <file>", "a member's private key in PEM")
    .option("--json", "print the answer as one JSON line");
  addServiceOptions(command)
    .addHelpText(
      "after",
      "\nExample:\n  $ sealane rotate-secret --service-cert service.pem --member-key data/member0.private.pem",
    )
    .action((options: RotateOptions) => rotateSecret(io, options));
}

async function rotateSecret(io: Io, options: RotateOptions): Promise<void> {
  const { signBallot } = await import("../ballot.js");
  const answer = await withService(options, async (client, { certificate }) => {
    const { ledgerSecretSeqno: current } = await client.network();
    return client.ballot(await signBallot(options.memberKey, certificate, { type: "rotate-ledger-secret", current }));
  });
  if (options.json === true) await io.printLine(JSON.stringify(answer));
  else if (answer.status === "accepted")
    await io.printLine(`accepted in ${answer.txId}: the new secret applies after it`);
  else await io.printLine(`counted in ${answer.txId}: more members' ballots are needed`);
}
