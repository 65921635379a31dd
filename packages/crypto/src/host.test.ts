import { expect, test } from "vitest";
import { parseHost } from "./host.js";

test.each([
  "0.0.0.0",
  "127.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "fe80::1",
  "2001:db8::8:800:200c:417a",
  "1:2:3:4:5:6:7:8",
  "1::",
  "A::B",
])("%s is an address", (text) => {
  expect(parseHost(text)).toEqual({ type: "ip", text });
});

test.each(["localhost", "node-1.example", "a.b.c", "xn--bcher-kva.example", "1a.2b", `${"a".repeat(63)}.example`])(
  "%s is a DNS name",
  (text) => {
    expect(parseHost(text)).toEqual({ type: "dns", text });
  },
);

test.each([
  "",
  ".",
  "a.",
  ".a",
  "a..b",
  "-a",
  "a-",
  "a_b",
  "*.example",
  "a b",
  "bücher.example",
  "example\n",
  "localhost:80",
  "[::1]",
  "fe80::1%eth0",
  "::ffff:1.2.3.4",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7::8",
  "1:2:3:4:5:6:7:8::",
  "12345::",
  ":1",
  "1.2.3",
  "1.2.3.4.5",
  "1.2.3.256",
  "01.2.3.4",
  "1.2.3.4/8",
  "http://a",
  "a".repeat(64),
  `${"a.".repeat(127)}a`,
])("%j is no host", (text) => {
  expect(() => parseHost(text)).toThrow(RangeError);
});
