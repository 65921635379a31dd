import { expect, test } from "vitest";
import { formatAddress, parseAddress } from "./address.js";

test.each([
  ["127.0.0.1:7001", "127.0.0.1", 7001],
  ["localhost:1", "localhost", 1],
  ["node0.example:65535", "node0.example", 65535],
  ["node_0-a.b:80", "node_0-a.b", 80],
  ["[::1]:7001", "::1", 7001],
  ["[2001:db8::7]:7001", "2001:db8::7", 7001],
  [`${"a".repeat(63)}.b:80`, `${"a".repeat(63)}.b`, 80],
  [`${"a.".repeat(126)}a:65535`, `${"a.".repeat(126)}a`, 65535], // 253 characters, the longest name there is
])("%s is host %s, port %d", (text, host, port) => {
  expect(parseAddress(text)).toEqual({ host, port });
  expect(formatAddress({ host, port })).toBe(text);
});

test.each([
  ["", "nothing"],
  ["localhost", "no port"],
  ["7001", "a port alone"],
  ["localhost:", "no port"],
  [":7001", "no host"],
  ["localhost:0", "port 0"],
  ["localhost:65536", "a port above 65,535"],
  ["localhost:07", "a leading zero"],
  ["localhost:7001 ", "a space"],
  ["::1:7001", "an IPv6 address without brackets"],
  ["[::1:7001", "one bracket"],
  ["[localhost]:1", "brackets around a name"],
  ["[]:1", "empty brackets"],
  ["1.2.3.256:1", "an impossible IPv4 address"],
  ["1.2.3:1", "a short IPv4 address"],
  ["12345:1", "a number for a name"],
  ["-a:1", "a label that starts with a hyphen"],
  ["a..b:1", "an empty label"],
  ["http://a:1", "a URL"],
  ["a/b:1", "a path"],
  ["user@a:1", "a user"],
  ["é:1", "a name that is not ASCII"],
  [`${"a".repeat(64)}:1`, "a label above 63 characters"],
  [`${"a.".repeat(126)}aa:1`, "a name of 254 characters"],
])("%j is refused: %s", (text) => {
  expect(() => parseAddress(text)).toThrow(expect.objectContaining({ name: "WireError", code: "malformed" }));
});
