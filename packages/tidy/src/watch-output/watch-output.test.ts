import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { searchOutput } from "./global-setup.js";
import { KeySearch } from "./search.js";

const KEY = "8f1d4a77c3b2e9560b64d1f7aa93c25e0917be34d86fa5c12207e49b5d3cf168";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "sealane-watch-test-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Runs a program of its own that is watched. */
function run(program: string): void {
  const record = new URL("./record.js", import.meta.url).href;
  execFileSync(process.execPath, [`--import=${record}`, "--input-type=module", "--eval", program], {
    env: { ...process.env, NODE_OPTIONS: "", SEALANE_WATCH: folder },
    stdio: "pipe",
  });
}

const use = `
  import { createCipheriv, createSecretKey, generateKeyPairSync } from "node:crypto";
  import { writeSync } from "node:fs";
  import { inspect } from "node:util";
  const key = Buffer.from("${KEY}", "hex");
  createSecretKey(key);
`;

describe("a program that prints a key it uses is found out", () => {
  it.each([
    ["in hex", "console.log('the key is ' + key.toString('hex'))"],
    ["in capitals", "console.error(key.toString('hex').toUpperCase())"],
    ["in base64", "console.log(key.toString('base64'))"],
    ["in base64url", "console.log(key.toString('base64url'))"],
    [
      "inside longer base64",
      "for (const n of [1, 2, 3]) console.log(Buffer.concat([Buffer.alloc(n), key, key]).toString('base64'))",
    ],
    ["as a buffer", "console.log(key)"],
    ["as an array", "console.log(new Uint8Array(key))"],
    ["in colours", "console.log(inspect(new Uint8Array(key), { colors: true }))"],
    ["in JSON", "console.log(JSON.stringify({ key }), JSON.stringify({ key: [...key] }))"],
    ["in JSON of an array", "console.log(JSON.stringify(new Uint8Array(key), null, 2))"],
    ["past the streams", "writeSync(2, key.toString('hex'))"],
    ["in an error", "Error.stackTraceLimit = 0; process.exitCode = 0; console.error(new Error(key.toString('hex')))"],
    [
      "when it is one that was made",
      "console.log(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ format: 'jwk' }).d)",
    ],
    [
      "when it stands in a PEM",
      "console.log(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'))",
    ],
  ])("%s", (_, print) => {
    run(`${use}${print}`);
    expect(() => searchOutput(folder)).toThrow("a key was printed");
  });

  it("and the message does not repeat the key", () => {
    run(`${use}console.log("key: " + key.toString("hex"))`);
    expect(() => searchOutput(folder)).toThrow(/as hex, after "key: "$/);
  });
});

it("public bytes may be printed", () => {
  run(`${use}
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    console.log(publicKey.export({ format: "pem", type: "spki" }), key.subarray(0, 8));
    createCipheriv("aes-256-gcm", key, Buffer.alloc(12));
  `);
  expect(searchOutput(folder)).toMatch(/^none of 2 keys in \d{3} characters printed by 1 processes$/);
});

it("a key is found wherever it stands in a run of the same letters", () => {
  const search = new KeySearch();
  search.add(KEY);
  for (let before = 0; before < 70; before++) {
    const text = `${"a".repeat(before)}${KEY}${"0".repeat(before % 3)}`;
    expect(search.find(text)).toHaveLength(1);
    expect(search.find(Buffer.from(text).toString("base64"))).toHaveLength(0);
  }
  expect(search.find(KEY.slice(1))).toHaveLength(0);
});
