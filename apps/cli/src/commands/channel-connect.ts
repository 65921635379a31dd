/** `sealane channel connect`: goes to the other end, and starts the key exchange. */
import { parseAddress } from "@sealane/wire";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { publishedAddress } from "../values.js";
import { addChannelOptions, type ChannelFlags } from "./channel-options.js";

export function addChannelConnect(channel: Command, io: Io): void {
  const command = channel
    .command("connect")
    .summary("connect to the other end")
    .description(
      "Connect to the other end of a channel. Ends with exit code 0 only when all expected messages were accepted.",
    )
    .argument("<host:port>", "where the other end listens", publishedAddress);
  addChannelOptions(command)
    .addHelpText(
      "after",
      "\nExample:\n  $ sealane channel connect 127.0.0.1:7001 --service-cert service.pem --cert b.pem --key b.key --peer ID --send-consensus 10",
    )
    .action(async (where: string, flags: ChannelFlags) => {
      const { runChannel } = await import("../channel/run.js");
      await runChannel(io, { type: "connect", ...parseAddress(where) }, flags);
    });
}
