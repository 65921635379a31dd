/** `sealane status`: one node's view of itself and of its service. */
import type { NetworkNode, NetworkState, NodeState } from "@sealane/wire";
import type { Command } from "commander";
import type { Io } from "../io.js";
import { addServiceOptions, type ServiceOptions, withService } from "./service-options.js";

interface StatusOptions extends ServiceOptions {
  readonly json?: boolean;
}

export function addStatus(program: Command, io: Io): void {
  const command = program
    .command("status")
    .summary("show a node and its network")
    .description("Show a node's state, its channels, and the network as it sees it.")
    .option("--json", 'print {"node": …, "network": …} as one JSON line');
  addServiceOptions(command)
    .addHelpText("after", "\nExample:\n  $ sealane status --url https://127.0.0.1:8002 --service-cert service.pem")
    .action(async (options: StatusOptions) => {
      const { node, network } = await withService(options, async (client) => {
        const [node, network] = await Promise.all([client.state(), client.network()]);
        return { node, network };
      });
      if (options.json === true) await io.printLine(JSON.stringify({ node, network }));
      else for (const line of statusLines(node, network)) await io.printLine(line);
    });
}

/** A removed node is retiring as long as the service may need it. */
function standing({ status, retiredCommitted }: NetworkNode): string {
  return status === "retired" && retiredCommitted !== true ? "retiring" : status;
}

/** For people; programs read `--json`. */
export function statusLines(node: NodeState, network: NetworkState): string[] {
  const rows: [label: string, text: string][] = [
    ["node", node.nodeId],
    ["phase", node.phase],
    ["role", `${node.role} in view ${node.view}`],
    ["last", `${node.lastSeqno}`],
    ["committed", node.committed],
    ["primary", network.primary ?? "none known"],
    ["primary api", network.primaryApi ?? "none known"],
    ["members", `${network.members.length}`],
    ["up", `${Math.floor(node.uptimeMs / 1000)} s`],
  ];
  const nodes = network.nodes.map(
    (node) => `  ${node.id}  ${standing(node).padEnd(8)} node ${node.nodeAddress}  api ${node.apiAddress}`,
  );
  const channels = node.channels.map(
    ({ peer, state, open, sent, received, lastError }) =>
      `  ${peer}  ${state}${open ? ", open" : ""}, ${sent} sent, ${received} received${lastError === null ? "" : `, last refused: ${lastError}`}`,
  );
  return [
    ...rows.map(([label, text]) => `${`${label}:`.padEnd(13)}${text}`),
    "nodes:",
    ...nodes,
    "channels:",
    ...(channels.length > 0 ? channels : ["  none"]),
  ];
}
