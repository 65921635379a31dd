/**
 * Loaded into every process of a test run before anything else (`node --import`): notes the keys that pass through `node:crypto`, and
 * what the process prints, in two files of its own under the folder that SEALANE_WATCH names. `search.ts` compares them in the end.
 *
 * The bindings of Node's own modules are replaced for the whole process, so that it does not matter who imports them, or how.
 */
import crypto from "node:crypto";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { threadId } from "node:worker_threads";

const folder = process.env.SEALANE_WATCH;
/** Shorter ones are not secrets of this project, and would be found by chance. */
const KEY_BYTES_MIN = 16;
/** Longer ones are not keys. */
const KEY_BYTES_MAX = 66;
/** Those this project signs and agrees with; not every other has the form that the scalar is read from. */
const CURVES = ["prime256v1", "secp384r1"];

if (folder !== undefined) watch(folder);

/** @param {string} to */
function watch(to) {
  const { openSync, writeSync, write } = fs;
  const name = `${process.pid}-${threadId}`;
  const keys = openSync(path.join(to, `keys-${name}`), "a", 0o600);
  const output = openSync(path.join(to, `output-${name}`), "a", 0o600);
  /** @type {Set<string>} */
  const seen = new Set();

  /** @param {unknown} key */
  const noteKey = (key) => {
    if (!ArrayBuffer.isView(key) || key.byteLength < KEY_BYTES_MIN || key.byteLength > KEY_BYTES_MAX) return;
    const text = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("hex");
    if (seen.has(text)) return;
    seen.add(text);
    writeSync(keys, `${text}\n`);
  };
  /** @param {crypto.KeyObject} key */
  const notePrivateKey = (key) => {
    if (!CURVES.includes(key.asymmetricKeyDetails?.namedCurve ?? "")) return;
    // Not as a JWK: Node 20 holds the key's lock meanwhile, and a collection of the job that generated it waits for that lock for ever.
    // RFC 5915 §3: SEQUENCE, INTEGER 1, then the scalar as an OCTET STRING.
    const sec1 = key.export({ format: "der", type: "sec1" });
    const at = (sec1[1] ?? 0) < 0x80 ? 5 : 6;
    noteKey(sec1.subarray(at + 2, at + 2 + (sec1[at + 1] ?? 0)));
  };
  /** @param {unknown} printed */
  const noteOutput = (printed) => {
    if (typeof printed === "string") writeSync(output, printed);
    else if (ArrayBuffer.isView(printed)) writeSync(output, printed);
  };

  /**
   * @param {Record<string, any>} owner
   * @param {string} method
   * @param {(args: any[], result: any) => void} note
   */
  const after = (owner, method, note) => {
    const original = owner[method];
    owner[method] = function watched(/** @type {any[]} */ ...args) {
      const result = original.apply(this, args);
      note(args, result);
      return result;
    };
  };

  after(crypto, "createSecretKey", ([key]) => noteKey(key));
  after(crypto, "createCipheriv", ([, key]) => noteKey(key));
  after(crypto, "createDecipheriv", ([, key]) => noteKey(key));
  after(crypto, "diffieHellman", (_, shared) => noteKey(shared));
  after(crypto, "createPrivateKey", (_, key) => notePrivateKey(key));
  after(crypto, "generateKeyPairSync", (_, { privateKey }) => {
    if (privateKey instanceof crypto.KeyObject) notePrivateKey(privateKey);
  });
  after(process.stdout, "write", ([printed]) => noteOutput(printed));
  after(process.stderr, "write", ([printed]) => noteOutput(printed));
  fs.writeSync = /** @type {typeof fs.writeSync} */ (
    (/** @type {[number, any]} */ ...args) => {
      if (args[0] === 1 || args[0] === 2) noteOutput(args[1]);
      return Reflect.apply(writeSync, fs, args);
    }
  );
  fs.write = Object.assign(
    /** @type {any} */ (
      (/** @type {[number, any]} */ ...args) => {
        if (args[0] === 1 || args[0] === 2) noteOutput(args[1]);
        return Reflect.apply(write, fs, args);
      }
    ),
    write,
  );
  syncBuiltinESMExports();
}
