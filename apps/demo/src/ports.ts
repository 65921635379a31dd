/** Ports for nodes and proxies on the loopback address. */
import { createServer } from "node:net";
import { DemoError } from "./errors.js";

export const LOOPBACK = "127.0.0.1";

/**
 * Finds ports nobody listens on. They are free when this returns; another program could still take one before its user does,
 * which that user then reports as a taken port.
 * @param preferred - Tried first, so that addresses are the same from run to run; a taken one is replaced by any free port.
 */
export async function freePorts(preferred: readonly (number | undefined)[]): Promise<number[]> {
  // All are held open together until the last is found: otherwise the system may hand out the same port twice.
  const held: ReturnType<typeof createServer>[] = [];
  try {
    const ports: number[] = [];
    for (const port of preferred) {
      const server = (port === undefined ? undefined : await tryListen(port)) ?? (await tryListen(0));
      if (server === undefined) throw new DemoError("no free port on 127.0.0.1");
      held.push(server);
      const address = server.address();
      if (address === null || typeof address === "string") throw new DemoError("no free port on 127.0.0.1");
      ports.push(address.port);
    }
    return ports;
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

function tryListen(port: number): Promise<ReturnType<typeof createServer> | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ host: LOOPBACK, port }, () => resolve(server));
  });
}
