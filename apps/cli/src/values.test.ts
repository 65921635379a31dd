import { InvalidArgumentError } from "commander";
import { expect, test } from "vitest";
import { collect, keyPrefix, listenAddress, nodeId, nodeUrl, publishedAddress, wholeNumber } from "./values.js";

test.each<[(text: string) => unknown, string, unknown]>([
  [listenAddress, "127.0.0.1:7001", { host: "127.0.0.1", port: 7001 }],
  [listenAddress, "[::1]:0", { host: "::1", port: 0 }],
  [listenAddress, "localhost:0", { host: "localhost", port: 0 }],
  [publishedAddress, "node0.example:7001", "node0.example:7001"],
  [nodeUrl, "https://127.0.0.1:8001", "https://127.0.0.1:8001"],
  [nodeUrl, "https://node0.example/", "https://node0.example"],
  [wholeNumber(1, 64), "64", 64],
  [nodeId, "0a".repeat(32), "0a".repeat(32)],
  [keyPrefix, "run-2.a_~", "run-2.a_~"],
])("%o reads %j", (parse, text, value) => {
  expect(parse(text)).toEqual(value);
});

test.each<[(text: string) => unknown, string[]]>([
  [listenAddress, ["", "7001", "host", "host:", ":0", "host:65536", "host:-1", "a b:1", "http://host:1"]],
  [publishedAddress, ["host:0", "host", ""]],
  [nodeUrl, ["", "127.0.0.1:8001", "http://127.0.0.1:8001", "https://h/path", "https://h?q", "https://u@h", "ftp://h"]],
  [wholeNumber(1, 64), ["", "0", "65", "1.5", "-1", "1e1", " 1", "one", "NaN"]],
  [nodeId, ["", "0a", "0A".repeat(32), "0a".repeat(33)]],
  [keyPrefix, ["", "a/b", "a b", "ä", "x".repeat(241)]],
])("%o refuses what it is not", (parse, texts) => {
  for (const text of texts) expect(() => parse(text), text).toThrow(InvalidArgumentError);
});

test("a repeated option keeps its order", () => {
  const add = collect(wholeNumber(0, 9));
  expect(add("2", add("1", undefined))).toEqual([1, 2]);
});
