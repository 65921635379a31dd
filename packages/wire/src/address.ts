/** Where a node or its API listens, as `host:port` text. */
import { z } from "zod";
import { WireError } from "./errors.js";

/** Longest DNS name, in characters (RFC 1035 §2.3.4, without the root's dot). */
const HOST_CHARS_MAX = 253;
/** A host, a colon and five digits. */
export const ADDRESS_CHARS_MAX = HOST_CHARS_MAX + 1 + 5;

const DNS_NAME = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;
/** A name that ends in a number is meant to be an IPv4 address, and everything that resolves it takes it as one. */
const ENDS_IN_NUMBER = /(^|\.)[0-9]+$/;
const PORT = /^[1-9][0-9]{0,4}$/;

export interface Address {
  /** DNS name, IPv4 address, or IPv6 address without brackets. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
}

/**
 * The parts of `host:port`, for example `node0.example:7001`, `127.0.0.1:7001` or `[::1]:7001`.
 * @throws {WireError} `malformed` with a sentence for people.
 */
export function parseAddress(text: string): Address {
  const address = splitAddress(text);
  if (address === undefined) {
    throw new WireError("malformed", 'an address has the form "host:port", for example 127.0.0.1:7001 or [::1]:7001');
  }
  return address;
}

/** The text `parseAddress` reads: brackets go around an IPv6 address. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The parts, or `undefined` when the text is no address. */
export function splitAddress(text: string): Address | undefined {
  if (text.length > ADDRESS_CHARS_MAX) return undefined;
  const colon = text.lastIndexOf(":");
  const portText = text.slice(colon + 1);
  if (colon < 1 || !PORT.test(portText)) return undefined;
  const port = Number(portText);
  if (port > 0xffff) return undefined;
  const name = text.slice(0, colon);
  if (name.startsWith("[") && name.endsWith("]")) {
    const host = name.slice(1, -1);
    return z.ipv6().safeParse(host).success ? { host, port } : undefined;
  }
  const valid = ENDS_IN_NUMBER.test(name) ? z.ipv4().safeParse(name).success : DNS_NAME.test(name);
  return valid && name.length <= HOST_CHARS_MAX ? { host: name, port } : undefined;
}
