/** Flags and arguments as values: each function takes the text of one and returns it typed, or says what was expected. */
import { formatAddress, NodeId, parseAddress, parseTxId, type TxId, WireError } from "@sealane/wire";
import { InvalidArgumentError } from "commander";

/** Where a server listens; port 0 lets the system choose one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, as servers listen on it. */
export function listenAddress(text: string): ListenAddress {
  const anyPort = text.endsWith(":0");
  const { host, port } = wire(() => parseAddress(anyPort ? text.replace(/:0$/, ":1") : text));
  return { host, port: anyPort ? 0 : port };
}

/** `host:port`, as others connect to it. */
export function publishedAddress(text: string): string {
  return wire(() => formatAddress(parseAddress(text)));
}

/** The https origin of a node, without a path. */
export function nodeUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" || url.href !== `${url.origin}/`) {
    throw new InvalidArgumentError("Expected the https address of a node, such as https://127.0.0.1:8001.");
  }
  return url.origin;
}

/** For options that may be given several times. */
export function collect<T>(parse: (text: string) => T): (text: string, previous: readonly T[] | undefined) => T[] {
  return (text, previous) => [...(previous ?? []), parse(text)];
}

/** A whole number between two bounds, both included. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[0-9]+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

export function nodeId(text: string): NodeId {
  const parsed = NodeId.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError("Expected a node id: 64 lower-case hex digits.");
  return parsed.data;
}

export function txId(text: string): TxId {
  try {
    return parseTxId(text);
  } catch (error) {
    if (error instanceof WireError) throw new InvalidArgumentError("Expected a transaction id, such as 2.17.");
    throw error;
  }
}

/** Leaves room for a hyphen and the line number in a key of 256 characters. */
const PREFIX = /^[A-Za-z0-9._~-]{1,240}$/;

export function keyPrefix(text: string): string {
  if (PREFIX.test(text)) return text;
  throw new InvalidArgumentError("Expected 1 to 240 characters of A-Z a-z 0-9 . _ ~ -");
}

function wire<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof WireError) throw new InvalidArgumentError(`Expected host:port, such as 127.0.0.1:7001.`);
    throw error;
  }
}
