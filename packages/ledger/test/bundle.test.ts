/** How large the receipt verifier is in a page, minified and gzipped, and that what a bundler makes of it works. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, test } from "vitest";
import { receiptWorld } from "./receipts.js";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
/** Inside the package, so that its dependencies are found. */
const SCRATCH = `${PACKAGE}/node_modules/.cache`;

const { receipt, servicePem } = receiptWorld();

test.each([
  {
    what: "with Web Crypto",
    kilobytes: 8,
    code: `import { verifyReceipt, webCrypto } from "@sealane/ledger/receipt";
      export default (bytes, pem) => verifyReceipt(bytes, { crypto: webCrypto(crypto.subtle), serviceCertificate: pem });`,
  },
  {
    what: "with the verifying part of the portable suite",
    kilobytes: 32,
    code: `import { nobleVerifier } from "@sealane/crypto/verifier";
      import { suiteCrypto, verifyReceipt } from "@sealane/ledger/receipt";
      export default (bytes, pem) => verifyReceipt(bytes, { crypto: suiteCrypto(nobleVerifier), serviceCertificate: pem });`,
  },
  {
    what: "with the whole portable suite",
    kilobytes: 64,
    code: `import { nobleSuite } from "@sealane/crypto";
      import { suiteCrypto, verifyReceipt } from "@sealane/ledger/receipt";
      export default (bytes, pem) => verifyReceipt(bytes, { crypto: suiteCrypto(nobleSuite), serviceCertificate: pem });`,
  },
])("the verifier $what fits $kilobytes kB, and works", { timeout: 30_000 }, async ({ kilobytes, code }) => {
  await mkdir(SCRATCH, { recursive: true });
  const directory = await mkdtemp(`${SCRATCH}/bundle-`);
  try {
    await writeFile(`${directory}/main.js`, code);
    const text = await bundle(directory);
    expect(text).not.toMatch(/["']node:/);
    expect(gzipSync(text, { level: 9 }).length).toBeLessThanOrEqual(kilobytes * 1024);

    await writeFile(`${directory}/bundle.mjs`, text);
    const { default: verify } = await import(/* @vite-ignore */ pathToFileURL(`${directory}/bundle.mjs`).href);
    const { json, cose } = receipt(3);
    for (const one of [JSON.stringify(json), cose]) {
      expect(await verify(one, servicePem)).toMatchObject({ transactionId: { view: 2, seqno: 3 } });
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

async function bundle(directory: string): Promise<string> {
  const output = await build({
    root: directory,
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["source"] },
    build: {
      write: false,
      target: "es2023",
      modulePreload: false,
      rolldownOptions: { input: `${directory}/main.js`, preserveEntrySignatures: "strict" },
    },
  });
  const [result] = [output].flat();
  if (result === undefined || !("output" in result)) throw new Error("a build, not a watcher");
  return result.output.map((chunk) => ("code" in chunk ? chunk.code : "")).join("");
}
