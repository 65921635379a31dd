/** Where everything is, as text for the terminal. */
import { join } from "node:path";
import type { Cluster } from "./supervisor.js";

export function whereabouts(pageUrl: string, cluster: Cluster): string {
  const { nodes } = cluster.view();
  const lines = ["", `  page            ${pageUrl}`];
  for (const node of nodes) {
    lines.push(
      "",
      `  node ${node.index} (${node.role})`,
      `    client API    ${node.apiUrl}`,
      `    node-to-node  ${node.publishedAddress} → ${node.nodeAddress}`,
      `    data          ${node.dataDir}`,
    );
  }
  const target = nodes.at(-1);
  if (target !== undefined) {
    const certificate = join(target.dataDir, "service.pem");
    lines.push(
      "",
      `  Write through node ${target.index}:`,
      `    curl --cacert ${certificate} -X PUT -H 'content-type: application/json' \\`,
      `      -d '{"value":"hello"}' ${target.apiUrl}/records/greeting`,
    );
  }
  lines.push("", "  Ctrl-C ends everything.", "");
  return lines.join("\n");
}
