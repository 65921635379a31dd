/** A ledger made here, its receipts, and its entries with bytes changed: every one of a write, every seventh of a long signature entry. */
import { createServiceIdentity, endorse, pemEncode, spkiHash } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { type DecodedEntry, decodeEntry, Ledger, LedgerSecrets, receiptOf } from "@sealane/ledger";
import { webCrypto } from "@sealane/ledger/receipt";
import { NodeId, seqno, utf8, view } from "@sealane/wire";
import { beforeAll, describe, expect, test } from "vitest";
import type { ReceiptView } from "../../ledger-feed.js";
import { examine } from "./examine.js";

const crypto = webCrypto(globalThis.crypto.subtle);
let written: DecodedEntry;
let signature: DecodedEntry;
let receipts: { readonly written: ReceiptView; readonly signature: ReceiptView };

beforeAll(() => {
  const times = { notBefore: new Date(0), notAfter: new Date(4e12) };
  const service = createServiceIdentity(suite, { name: "service", ...times });
  const keyPair = suite.generateKeyPair("P-384");
  const node = NodeId.parse(spkiHash(suite, keyPair.publicKey.spki));
  const certificate = endorse(suite, service, { publicKey: keyPair.publicKey, name: node, hosts: [], ...times });
  const certificatePem = pemEncode("CERTIFICATE", certificate);
  const secrets = new LedgerSecrets([{ from: seqno(1), key: suite.randomBytes(32) }]);
  const ledger = new Ledger({ suite, secrets });
  const write = (key: string) =>
    ledger.append({
      view: view(2),
      writeSet: [
        { name: "public:counts", writes: [[utf8(key), utf8("1")]], removes: [] },
        { name: "records", writes: [[utf8(key), utf8("secret")]], removes: [] },
      ],
    });
  write("a");
  const second = write("b").bytes.slice();
  write("c");
  const signed = ledger.appendSignature({ view: view(2), nodeId: node, keyPair, certificatePem }).bytes.slice();
  written = decodeEntry(suite, secrets, second);
  signature = decodeEntry(suite, secrets, signed);
  const serviceCertificate = pemEncode("CERTIFICATE", service.certificate);
  const receipt = (entry: DecodedEntry): ReceiptView => ({
    receipt: JSON.stringify(receiptOf(entry, signature, { suite, secrets }).json),
    serviceCertificate,
  });
  receipts = { written: receipt(written), signature: receipt(signature) };
});

test("an entry as it is stored holds, step by step up to the service", async () => {
  const { holds, checks } = await examine(written.bytes, written, receipts.written, crypto);
  expect(checks.map(({ state, title }) => `${state}: ${title}`)).toEqual([
    "holds: The entry can be read",
    "holds: Digest of the stored bytes",
    "holds: Commit evidence",
    "holds: Claims of the application",
    "holds: Leaf of the Merkle tree",
    "holds: Joined with its right sibling",
    "holds: Joined with its left sibling",
    "holds: The root is signed by the node",
    "holds: That node is endorsed by the service",
  ]);
  expect(holds).toBe(true);
  expect((await examine(signature.bytes, signature, receipts.signature, crypto)).holds).toBe(true);
});

describe("with a byte changed it does not hold", () => {
  test.each([
    ["written", 1],
    ["signature", 7],
  ] as const)("%s", async (name, stride) => {
    const entry = name === "written" ? written : signature;
    for (let offset = 0; offset < entry.bytes.length; offset += stride) {
      const bytes = entry.bytes.slice();
      bytes[offset] = (bytes[offset] ?? 0) ^ 1;
      const { holds, checks } = await examine(bytes, entry, receipts[name], crypto);
      expect(holds, `byte ${offset}`).toBe(false);
      expect(checks.find(({ title }) => title.startsWith("Digest"))?.state).toBe("changed");
    }
  });
});

test("a changed ciphertext shows where the proof breaks: every digest above differs, and the signature does not verify", async () => {
  const bytes = written.bytes.slice();
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 0x80;
  const { checks } = await examine(bytes, written, receipts.written, crypto);
  expect(checks.map(({ state }) => state)).toEqual([
    "holds", // without the key nothing is wrong with the entry by itself
    "changed",
    "holds",
    "holds",
    "changed",
    "changed",
    "changed",
    "broken",
  ]);
});

test("another service's certificate proves nothing", async () => {
  const other = createServiceIdentity(suite, { name: "x", notBefore: new Date(0), notAfter: new Date(4e12) });
  const given = { ...receipts.written, serviceCertificate: pemEncode("CERTIFICATE", other.certificate) };
  const { holds, checks } = await examine(written.bytes, written, given, crypto);
  expect(holds).toBe(false);
  expect(checks.at(-1)).toMatchObject({ state: "broken", title: "The proof breaks here" });
});
