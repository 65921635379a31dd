/** The flags that both ends of `sealane channel` take. */
import type { NodeId } from "@sealane/wire";
import { type Command, Option } from "commander";
import { nodeId, wholeNumber } from "../values.js";

export interface ChannelFlags {
  readonly version: "1" | "2";
  readonly serviceCert: string;
  readonly cert: string;
  readonly key: string;
  readonly peer: NodeId;
  readonly sendConsensus: number;
  readonly sendForwarded: number;
  readonly expectConsensus: number;
  readonly expectForwarded: number;
  readonly echo?: boolean;
  readonly messageLimit?: number;
  readonly deadline: number;
  readonly json?: boolean;
}

const COUNT_MAX = 1_000_000_000;
/** Below this there is no room between the renewal, at half of it, and the limit. */
const MESSAGE_LIMIT_MIN = 4;
/** 2^24.5, the protocol's own. */
const MESSAGE_LIMIT_MAX = 23_726_566;
const DEADLINE_S_MAX = 86_400;

export function addChannelOptions(command: Command): Command {
  const count = wholeNumber(0, COUNT_MAX);
  return command
    .addOption(new Option("--version <version>", "the channel's protocol version").choices(["1", "2"]).default("2"))
    .requiredOption("--service-cert <file>", "the service certificate that both nodes are endorsed by (PEM)")
    .requiredOption("--cert <file>", "this node's certificate (PEM)")
    .requiredOption("--key <file>", "this node's private key (PKCS#8 in PEM)")
    .requiredOption("--peer <node-id>", "the other node's id: 64 hex digits", nodeId)
    .option("--send-consensus <n>", "consensus messages to send", count, 0)
    .option("--send-forwarded <n>", "forwarded messages to send", count, 0)
    .option("--expect-consensus <n>", "consensus messages that have to be accepted", count, 0)
    .option("--expect-forwarded <n>", "forwarded messages that have to be accepted", count, 0)
    .option("--echo", "send every accepted message back, until the other side closes")
    .option(
      "--message-limit <n>",
      "messages under one key, with new keys at half of it",
      wholeNumber(MESSAGE_LIMIT_MIN, MESSAGE_LIMIT_MAX),
    )
    .option("--deadline <seconds>", "give up after this time", wholeNumber(1, DEADLINE_S_MAX), 30)
    .option("--json", "print events and the result as JSON lines");
}
