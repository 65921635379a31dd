/** One Sealane node in a process of its own, as `startNode` makes it; counts how often it makes something durable. */
import { open } from "node:fs/promises";
import { type RunningNode, startNode } from "@sealane/node";
import type { NodeAnswer, NodeCommand } from "./node-protocol.js";

let node: RunningNode | undefined;
let syncs = 0;

process.on("message", (command: NodeCommand) => {
  carryOut(command).then(answer, (error: unknown) => answer({ error: String(error) }));
});
process.on("disconnect", () => process.exit());

function answer(message: NodeAnswer): void {
  process.send?.(message);
}

async function carryOut(command: NodeCommand): Promise<NodeAnswer> {
  switch (command.do) {
    case "start": {
      await countSyncs();
      const { dataDir, join, curve } = command;
      const service = join === undefined ? ({ type: "new", curve } as const) : ({ type: "join", ...join } as const);
      node = await startNode({ dataDir, service });
      const { nodeId, apiUrl, serviceCertificate } = node;
      return { nodeId, apiUrl, ...(serviceCertificate === undefined ? {} : { serviceCertificate }) };
    }
    case "ready":
      await node?.ready;
      return {};
    case "usage": {
      const { user, system } = process.cpuUsage();
      return { cpuUs: user + system, syncs, committed: Number(node?.state().committed.split(".")[1] ?? 0) };
    }
    case "stop":
      await node?.stop();
      setImmediate(() => process.disconnect());
      return {};
    default:
      return command satisfies never;
  }
}

/** Every file of this process goes through one prototype. */
async function countSyncs(): Promise<void> {
  const handle = await open(process.execPath);
  const prototype: Pick<typeof handle, "sync" | "datasync"> = Object.getPrototypeOf(handle);
  await handle.close();
  for (const name of ["sync", "datasync"] as const) {
    const original = prototype[name];
    prototype[name] = function (this: unknown) {
      syncs++;
      return original.call(this);
    };
  }
}
