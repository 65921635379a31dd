/** `start [DIR]`: one node of a greetings service in the directory (default `data`). The same directory goes on where it ended. */
import { resolve } from "node:path";
import { holdsNode, NodeError, startNode } from "@sealane/node";
import { greetingsApp } from "./app.js";

const API = { host: "127.0.0.1", port: 8443 };

async function main(dataDir: string): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());
  const node = await startNode({
    app: greetingsApp,
    dataDir,
    service: { type: (await holdsNode(dataDir)) ? "resume" : "new" },
    api: API,
    signal: stopping.signal,
  });
  process.stdout.write(
    [
      `greetings at ${node.apiUrl}/greetings, ledger in ${dataDir}`,
      `  curl --cacert ${dataDir}/service.pem -X PUT ${node.apiUrl}/greetings/ada -d '{"text":"Good morning, Ada"}'`,
      `  curl --cacert ${dataDir}/service.pem ${node.apiUrl}/greetings/ada`,
      "Ctrl-C stops it.",
      "",
    ].join("\n"),
  );
  await node.closed;
}

main(resolve(process.argv[2] ?? "data")).catch((error: unknown) => {
  if (error instanceof NodeError && error.code === "aborted") return; // stopped while it was still starting
  process.stderr.write(`greetings: ${error instanceof NodeError ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
