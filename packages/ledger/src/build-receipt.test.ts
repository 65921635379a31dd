import { concatBytes, hex, seqno, view } from "@sealane/wire";
import { expect, test } from "vitest";
import { at, secrets, sign, suite, V2 } from "../test/fixture.js";
import { CLAIMS, receiptWorld } from "../test/receipts.js";
import { buildReceipt, receiptOf, type SourceReceiptOptions } from "./build-receipt.js";
import { decodeEntry } from "./decode-entry.js";
import { LedgerError } from "./errors.js";
import { type LedgerSource, memorySource } from "./ledger-source.js";
import { suiteCrypto } from "./receipt/receipt-crypto.js";
import { verifyReceipt } from "./receipt/verify-receipt.js";

const world = receiptWorld();
const { ledger } = world;
const entries = Array.from({ length: 9 }, (_, index) => bytesOf(index + 1));
const options = { suite, secrets, committed: seqno(9) };

function bytesOf(number: number): Uint8Array {
  return concatBytes(...(ledger.range(seqno(number), seqno(number)) ?? []));
}

/** The entries in one open chunk. */
function openChunk(bytes: readonly Uint8Array[] = entries): LedgerSource {
  return memorySource(new Map([["ledger_1", concatBytes(new Uint8Array(8), ...bytes)]]));
}

async function build(number: number, more: Partial<SourceReceiptOptions> = {}, source = openChunk()) {
  return buildReceipt(source, { view: V2, seqno: seqno(number) }, { ...options, ...more });
}

async function codeFor(...args: Parameters<typeof build>): Promise<unknown> {
  return build(...args).then(
    () => "no error",
    (error: unknown) => (error instanceof LedgerError ? error.code : error),
  );
}

test("out of a directory and out of two entries: the same", async () => {
  for (let number = 1; number <= 9; number++) {
    expect(await build(number)).toEqual(world.receipt(number));
  }
});

test("the signature is the first one after the transaction", async () => {
  expect((await build(4)).signatureTxId).toEqual({ view: 2, seqno: 5 });
  expect((await build(5)).signatureTxId).toEqual({ view: 2, seqno: 5 });
  expect((await build(6)).signatureTxId).toEqual({ view: 2, seqno: 9 });
});

test("chunks before the transaction's are not read", async () => {
  const first = concatBytes(new Uint8Array(8), ...entries.slice(0, 5));
  const files = memorySource(
    new Map([
      ["ledger_1-5.committed", first],
      ["ledger_6", concatBytes(new Uint8Array(8), ...entries.slice(5))],
    ]),
  );
  const read: string[] = [];
  const source: LedgerSource = {
    files: async () =>
      (await files.files()).map((file) => ({
        ...file,
        read: (offset, length) => {
          read.push(file.name);
          return file.read(offset, length);
        },
      })),
  };
  expect(await build(7, {}, source)).toEqual(world.receipt(7));
  expect(new Set(read)).toEqual(new Set(["ledger_6"]));
});

test("only of what is known to be committed", async () => {
  expect(await codeFor(6, { committed: seqno(5) })).toBe("not-committed");
  expect(await codeFor(5, { committed: seqno(5) })).toBe("no error");
  const source = openChunk();
  const txId = { view: V2, seqno: seqno(3) };
  await expect(buildReceipt(source, txId, { suite, secrets })).rejects.toMatchObject({ code: "not-committed" });
  const committed = memorySource(
    new Map([["ledger_1-5.committed", concatBytes(new Uint8Array(8), ...entries.slice(0, 5))]]),
  );
  expect(await buildReceipt(committed, txId, { suite, secrets })).toEqual(world.receipt(3));
});

test("claims must be those of the transaction", async () => {
  expect((await build(3, { claims: CLAIMS })).json.leaf_components?.claims_digest).toBe(hex(suite.sha256(CLAIMS)));
  expect(await codeFor(2, { claims: CLAIMS })).toBe("claims-mismatch");
  expect(await codeFor(5, { claims: CLAIMS })).toBe("claims-mismatch");
});

test("what cannot be found or proved has its own code", async () => {
  expect(await codeFor(10)).toBe("not-found");
  expect(await codeFor(2, {}, openChunk([]))).toBe("not-found");
  const other = buildReceipt(openChunk(), { view: view(3), seqno: seqno(2) }, options);
  await expect(other).rejects.toMatchObject({ code: "not-found" });
  expect(await codeFor(7, {}, openChunk(entries.slice(0, 8)))).toBe("not-signed");
  const { secrets: _, ...withoutSecrets } = options;
  await expect(buildReceipt(openChunk(), { view: V2, seqno: seqno(2) }, withoutSecrets)).rejects.toMatchObject({
    code: "no-secret",
  });
});

test("the secrets are not needed for a signature transaction", async () => {
  const { secrets: _, ...withoutSecrets } = options;
  const built = await buildReceipt(openChunk(), { view: V2, seqno: seqno(5) }, withoutSecrets);
  expect(built).toEqual(world.receipt(5));
});

test("a damaged ledger gives no receipt", async () => {
  const { node } = world;
  const changed = entries.map((bytes, index) => {
    const copy = bytes.slice();
    if (index === 2) copy[1] = 2; // a flag: the leaf changes, the tag still verifies
    return copy;
  });
  expect(await codeFor(3, {}, openChunk(changed))).toBe("root-mismatch");
  const [entry, signature] = [2, 5].map((number) => decodeEntry(suite, secrets, at(entries, number - 1)));
  if (entry === undefined || signature?.signature === undefined) throw new Error("both are there");
  const forge = (change: object) => ({ ...signature, signature: { ...signature.signature, ...change } as never });
  const code = (change: object) => {
    try {
      receiptOf(entry, forge(change), { suite, secrets });
      return "no error";
    } catch (error) {
      return error instanceof LedgerError ? error.code : error;
    }
  };
  expect(code({})).toBe("no error");
  expect(code({ root: new Uint8Array(32) })).toBe("root-mismatch");
  expect(code({ tree: new Uint8Array(16) })).toBe("bad-tree");
  expect(code({ sig: new Uint8Array(8) })).toBe("bad-signature");
  expect(code({ cert: undefined })).toBe("unknown-node");
  expect(code({ node: "00".repeat(32) })).toBe("bad-node-id");
  expect(() => receiptOf(signature, entry, { suite, secrets })).toThrow(LedgerError);
  expect(node.nodeId).toBe(signature.signature?.node);
});

test("a signature entry without its certificate: the tables have it", async () => {
  const bare = receiptWorld();
  const { nodeId, keyPair } = bare.node;
  // `certificatePem` is what the entry repeats; CCF 1.x entries do not.
  const sealed = sign(bare.ledger, { nodeId, keyPair, certificatePem: undefined as never }, V2);
  const all = Array.from({ length: 10 }, (_, index) =>
    concatBytes(...(bare.ledger.range(seqno(index + 1), seqno(index + 1)) ?? [])),
  );
  const built = await build(10, { committed: seqno(10) }, openChunk(all));
  expect(built.json.cert).toBe(bare.node.certificatePem);
  expect(sealed.seqno).toBe(10);
  const crypto = suiteCrypto(suite);
  expect(
    await verifyReceipt(JSON.stringify(built.json), { crypto, serviceCertificate: bare.servicePem }),
  ).toBeDefined();
});
