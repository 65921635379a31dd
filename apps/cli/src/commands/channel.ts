/** `sealane channel`: one end of one node-to-node channel, without a node; for trying it against another implementation. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import { addChannelConnect } from "./channel-connect.js";
import { addChannelListen } from "./channel-listen.js";

export function addChannel(program: Command, io: Io): void {
  const command = program
    .command("channel")
    .summary("run one end of a channel, without a node")
    .description("Run one end of one node-to-node channel over TCP from PEM files, and count what was accepted.")
    .addHelpText(
      "after",
      "\nExample:\n  $ sealane channel listen 7001 --service-cert service.pem --cert a.pem --key a.key --peer ID",
    );
  addChannelListen(command, io);
  addChannelConnect(command, io);
}
