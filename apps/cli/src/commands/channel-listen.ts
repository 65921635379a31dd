/** `sealane channel listen`: waits for the other end. */
import { type Command, InvalidArgumentError } from "commander";
import type { Io } from "../io.js";
import { type ListenAddress, listenAddress, wholeNumber } from "../values.js";
import { addChannelOptions, type ChannelFlags } from "./channel-options.js";

const PORT_MAX = 65_535;

export function addChannelListen(channel: Command, io: Io): void {
  const command = channel
    .command("listen")
    .summary("wait for the other end")
    .description(
      "Wait for the other end of a channel to connect. Ends with exit code 0 only when all expected messages were accepted.",
    )
    .argument("<port>", "the port on 127.0.0.1, or host:port; 0 lets the system choose", whereToListen);
  addChannelOptions(command)
    .addHelpText(
      "after",
      "\nExample:\n  $ sealane channel listen 7001 --service-cert service.pem --cert a.pem --key a.key --peer ID --expect-consensus 10",
    )
    .action(async (where: ListenAddress, flags: ChannelFlags) => {
      const { runChannel } = await import("../channel/run.js");
      await runChannel(io, { type: "listen", ...where }, flags);
    });
}

function whereToListen(text: string): ListenAddress {
  if (text.includes(":")) return listenAddress(text);
  try {
    return { host: "127.0.0.1", port: wholeNumber(0, PORT_MAX)(text) };
  } catch {
    throw new InvalidArgumentError(`Expected a port from 0 to ${PORT_MAX}, or host:port.`);
  }
}
