/** Starts a listener and turns what can go wrong into sentences. */
import type { Server } from "node:net";
import { type Address, formatAddress } from "@sealane/wire";
import { TransportError, type TransportErrorCode } from "../errors.js";

/**
 * @param at - Port 0 takes a free port.
 * @returns Where it listens.
 * @throws {TransportError} as a rejection.
 */
export async function listen(server: Server, at: Address): Promise<Address> {
  if (!Number.isInteger(at.port) || at.port < 0 || at.port > 0xffff) {
    throw new TransportError("bad-address", `cannot listen on port ${at.port}: a port is a number from 0 to 65535`);
  }
  if (at.host === "") throw new TransportError("bad-address", "cannot listen: the host is empty; use 0.0.0.0 for all");
  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: NodeJS.ErrnoException): void => reject(listenError(at, cause));
    server.once("error", refuse);
    server.listen(at.port, at.host, () => {
      server.off("error", refuse);
      resolve();
    });
  });
  const bound = server.address();
  // A server that listens on a host and port has an object here; the other forms are for pipes and for servers that do not listen.
  return { host: at.host, port: typeof bound === "object" && bound !== null ? bound.port : at.port };
}

function listenError(at: Address, cause: NodeJS.ErrnoException): TransportError {
  const where = formatAddress(at);
  const [code, message] = explain(where, cause);
  return new TransportError(code, message, { cause });
}

function explain(where: string, cause: NodeJS.ErrnoException): [TransportErrorCode, string] {
  switch (cause.code) {
    case "EADDRINUSE":
      return ["address-in-use", `${where} is already in use by another process: stop it, or choose another port`];
    case "EACCES":
    case "EPERM":
      return ["address-denied", `this process may not listen on ${where}: choose a port above 1023`];
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EINVAL":
      return ["bad-address", `cannot listen on ${where}: this machine has no such address`];
    default:
      return ["listen-failed", `cannot listen on ${where}: ${cause.message}`];
  }
}
