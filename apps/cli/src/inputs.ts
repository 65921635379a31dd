/** Files that commands read: certificates, keys, ledger secrets. Every fault is one sentence that names the file. */
import { readFile, stat } from "node:fs/promises";
import { type Certificate, type CryptoSuite, type KeyPair, parseCertificate, pemDecode } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { fromHex, fromUtf8 } from "@sealane/wire";
import { CliError, errorCode } from "./cli-error.js";

export { nativeSuite };

/** Far above any file read here; a wrong path to something huge must not fill the memory. */
const INPUT_BYTES_MAX = 4 * 1024 * 1024;

/** @throws {CliError} when the file cannot be read, is too large or is not text. */
export async function readText(path: string, what: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > INPUT_BYTES_MAX) throw new CliError(`"${path}" is too large to be ${what}`);
    return fromUtf8(await readFile(path));
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    if (errorCode(cause) === "utf8") throw new CliError(`"${path}" is not ${what}: it is not text`, { cause });
    throw new CliError(`${what} "${path}" cannot be read: ${readFault(cause)}`, { cause });
  }
}

export interface CertificateFile {
  readonly pem: string;
  readonly certificate: Certificate;
}

/** @param what - Such as "the service certificate". */
export async function readCertificate(suite: CryptoSuite, path: string, what: string): Promise<CertificateFile> {
  const pem = await readText(path, what);
  try {
    return { pem, certificate: parseCertificate(suite, pemDecode("CERTIFICATE", pem)) };
  } catch (cause) {
    throw new CliError(`"${path}" is not ${what}: expected one PEM block "CERTIFICATE"`, { cause });
  }
}

/** A member's PEM: a certificate or a public key. Returned as it is; the node reads it again. */
export async function readMember(suite: CryptoSuite, path: string): Promise<string> {
  const what = "a member's certificate or public key";
  const pem = await readText(path, what);
  try {
    if (pem.includes("BEGIN PUBLIC KEY")) suite.importPublicKey(pemDecode("PUBLIC KEY", pem));
    else parseCertificate(suite, pemDecode("CERTIFICATE", pem));
    return pem;
  } catch (cause) {
    throw new CliError(`"${path}" is not ${what} in PEM`, { cause });
  }
}

/** A PKCS#8 private key in PEM. No error shows anything of its content. */
export async function readPrivateKey(
  suite: CryptoSuite,
  path: string,
  what = "a member's private key",
): Promise<KeyPair> {
  const pem = await readText(path, what);
  let der: Uint8Array | undefined;
  try {
    der = pemDecode("PRIVATE KEY", pem);
    return suite.importPrivateKey(der);
  } catch (cause) {
    throw new CliError(`"${path}" is not ${what}: expected one PEM block "PRIVATE KEY" with a P-384 or P-256 key`, {
      cause,
    });
  } finally {
    if (der !== undefined) suite.wipe(der);
  }
}

/** One ledger secret: `from` is the first seqno it encrypts; `key` has 32 bytes. */
export interface SecretInput {
  readonly from: number;
  readonly key: Uint8Array;
}

/** Ledger secrets as an outside verifier gets them: `[{"from_seqno": 1, "key": "<64 hex digits>"}]`. */
export async function readSecrets(path: string): Promise<SecretInput[]> {
  const text = await readText(path, "the ledger secrets");
  const secrets = parseSecrets(text);
  if (secrets === undefined) {
    throw new CliError(`"${path}" holds no ledger secrets: expected [{"from_seqno": 1, "key": "<64 hex digits>"}]`);
  }
  return secrets;
}

/** Exported for its test. @returns undefined for any other text; no error, as that could quote a key. */
export function parseSecrets(text: string): SecretInput[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    if (!Array.isArray(list) || list.length === 0) return undefined;
    return list.map((item: unknown) => {
      const from: unknown = Reflect.get(Object(item), "from_seqno");
      const key: unknown = Reflect.get(Object(item), "key");
      if (typeof from !== "number" || !Number.isSafeInteger(from) || from < 1) throw new RangeError("from_seqno");
      if (typeof key !== "string" || key.length !== 64) throw new RangeError("key");
      return { from, key: fromHex(key) };
    });
  } catch {
    return undefined;
  }
}

function readFault(cause: unknown): string {
  switch (errorCode(cause)) {
    case "ENOENT":
      return "there is no such file";
    case "EISDIR":
      return "it is a directory";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "ENOTDIR":
      return "a part of its path is not a directory";
    default:
      return "reading failed";
  }
}
