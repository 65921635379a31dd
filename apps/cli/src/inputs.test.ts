import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServiceIdentity, pemEncode } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseSecrets, readCertificate, readMember, readPrivateKey, readSecrets, readText } from "./inputs.js";

const KEY = "ab".repeat(32);
let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sealane-inputs-"));
});
afterAll(() => rm(dir, { recursive: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, content);
  return path;
}

test("certificates and keys are read from PEM", async () => {
  const notBefore = new Date();
  const notAfter = new Date(notBefore.getTime() + 86_400_000);
  const { keyPair, certificate } = createServiceIdentity(suite, { name: "service", notBefore, notAfter });
  const pem = await file("service.pem", pemEncode("CERTIFICATE", certificate));
  const key = await file("key.pem", pemEncode("PRIVATE KEY", suite.exportPrivateKey(keyPair.privateKey)));
  const publicKey = await file("public.pem", pemEncode("PUBLIC KEY", keyPair.publicKey.spki));
  expect((await readCertificate(suite, pem, "the service certificate")).certificate.publicKey.spki).toEqual(
    keyPair.publicKey.spki,
  );
  expect((await readPrivateKey(suite, key)).publicKey.spki).toEqual(keyPair.publicKey.spki);
  expect(await readMember(suite, pem)).toContain("BEGIN CERTIFICATE");
  expect(await readMember(suite, publicKey)).toContain("BEGIN PUBLIC KEY");
  await expect(readPrivateKey(suite, pem)).rejects.toThrow("is not a member's private key");
  await expect(readCertificate(suite, key, "the service certificate")).rejects.toThrow(
    "is not the service certificate",
  );
  await expect(readMember(suite, key)).rejects.toThrow("is not a member's certificate");
});

test("a file that cannot be read is named with the reason", async () => {
  await expect(readText(join(dir, "none"), "x")).rejects.toThrow("there is no such file");
  await expect(readText(dir, "x")).rejects.toThrow("it is a directory");
  await expect(readText(join(await file("plain", ""), "below"), "x")).rejects.toThrow("not a directory");
  await expect(readText(await file("binary", Uint8Array.of(0xff, 0xfe)), "x")).rejects.toThrow("is not text");
  const huge = await file("huge", "");
  await truncate(huge, 5 * 1024 * 1024);
  await expect(readText(huge, "x")).rejects.toThrow("too large");
});

test("ledger secrets are read, and no error quotes one", async () => {
  expect(parseSecrets(`[{"from_seqno":1,"key":"${KEY}"}]`)).toEqual([{ from: 1, key: new Uint8Array(32).fill(0xab) }]);
  const wrong = [
    "",
    "[]",
    "{}",
    "null",
    "[1]",
    `[{"from_seqno":0,"key":"${KEY}"}]`,
    `[{"from_seqno":"1","key":"${KEY}"}]`,
    `[{"from_seqno":1,"key":"${KEY}00"}]`,
    `[{"from_seqno":1,"key":"${KEY.toUpperCase()}"}]`,
    `[{"key":"${KEY}"}]`,
  ];
  for (const text of wrong) {
    expect(parseSecrets(text), text).toBeUndefined();
    const failure = await readSecrets(await file("secrets.json", text)).catch((error: unknown) => error);
    expect(String(failure)).not.toContain(KEY);
    expect(Reflect.get(Object(failure), "cause")).toBeUndefined();
  }
});
