/** Pitfalls of the ledger specification (§14) that no test beside a source holds by itself; the README says where each one is held. */
import { endorse, pemEncode, signatureFromDer, spkiHash } from "@sealane/crypto";
import { concatBytes, hex, seqno, utf8, type View, view, type WriteSet } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { coseSignedBytes } from "../src/cose/cose-sign1.js";
import { encodeCoseHeader } from "../src/cose/encode-cose.js";
import { type DecodedEntry, decodeEntry } from "../src/decode-entry.js";
import { directoryReader } from "../src/directory-reader.js";
import { encodeEntry } from "../src/encode-entry.js";
import type { Ledger } from "../src/ledger.js";
import { memorySource } from "../src/ledger-source.js";
import {
  FLAG_CHUNK_ENDS_AFTER,
  FLAG_CHUNK_ENDS_BEFORE,
  IV_OFFSET,
  PUBLIC_LENGTH_OFFSET,
  PUBLIC_OFFSET,
  TAG_OFFSET,
} from "../src/limits.js";
import { signatureWriteSet } from "../src/signature-record.js";
import { ENDORSED_CERTIFICATES_TABLE } from "../src/trust-tables.js";
import { verifyLedger } from "../src/verify-ledger.js";
import {
  codeOf,
  createLedger,
  createNode,
  createService,
  decode,
  genesis,
  node,
  put,
  secrets,
  service,
  serviceSigner,
  sign,
  signBoth,
  suite,
  V2,
} from "./fixture.js";
import { map, seal, u64 } from "./hand-made-entry.js";

async function verify(chunks: ReadonlyMap<string, Uint8Array>) {
  const result = await verifyLedger(memorySource(chunks), { suite, secrets });
  return result.ok ? result : result.code;
}

function entriesOf(ledger: Ledger): Uint8Array[] {
  return Array.from({ length: ledger.lastSeqno }, (_, index) => {
    const one = seqno(index + 1);
    return concatBytes(...(ledger.range(one, one) ?? []));
  });
}

const openChunk = (entries: readonly Uint8Array[], first = 1) =>
  new Map([[`ledger_${first}`, concatBytes(new Uint8Array(8), ...entries)]]);

function finishedChunk(entries: readonly Uint8Array[]): Uint8Array {
  const starts: number[] = [];
  let end = 8;
  for (const { length } of entries) {
    starts.push(end);
    end += length;
  }
  return concatBytes(u64(end), ...entries, ...starts.map((start) => u64(start).subarray(0, 4)));
}

/** What becomes of a ledger whose last entry was changed: at a backup, and in a file. */
async function refusals(before: readonly Uint8Array[], last: DecodedEntry) {
  const backup = createLedger();
  for (const bytes of before) backup.appendReplicated(decode({ bytes }));
  const replicated = codeOf(() => backup.appendReplicated(last));
  return [replicated, await verify(openChunk([...before, last.bytes]))];
}

/** The same entry with other bytes for the classic signature, and without the COSE form. */
function resigned(entry: DecodedEntry, sig: Uint8Array): DecodedEntry {
  if (entry.signature === undefined) throw new Error("it is a signature");
  const { cose: _, ...record } = entry.signature;
  const { view: of, seqno: at } = entry;
  return decode({
    bytes: encodeEntry(suite, secrets, { view: of, seqno: at, writeSet: signatureWriteSet({ ...record, sig }) }),
  });
}

describe("1: tag, then IV; the additional data is the public domain alone", () => {
  test("neither header nor length belongs to it, and every byte of it does", () => {
    const { bytes } = createLedger().append({ view: V2, writeSet: put("key", "value") });
    const tag = bytes.subarray(TAG_OFFSET, IV_OFFSET);
    const iv = bytes.subarray(IV_OFFSET, PUBLIC_LENGTH_OFFSET);
    const publicBytes = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(PUBLIC_LENGTH_OFFSET, true));
    const aad = bytes.subarray(PUBLIC_OFFSET, PUBLIC_OFFSET + publicBytes);
    const ciphertext = bytes.subarray(PUBLIC_OFFSET + publicBytes);
    const { aead } = secrets.keysFor(suite, seqno(1));
    expect([tag.length, iv.length]).toEqual([16, 12]);
    expect(aead.open(iv, aad, ciphertext, tag)).toBeDefined();
    expect(aead.open(iv, bytes.subarray(PUBLIC_LENGTH_OFFSET, PUBLIC_OFFSET + publicBytes), ciphertext, tag)).toBe(
      undefined,
    );
    expect(aead.open(iv, bytes.subarray(0, PUBLIC_OFFSET + publicBytes), ciphertext, tag)).toBe(undefined);
    expect(aead.open(iv, new Uint8Array(), ciphertext, tag)).toBe(undefined);
  });
});

describe("4: the classic form is the node's, in DER; the COSE form the service's, as r ‖ s", () => {
  const ledger = createLedger();
  ledger.append({ view: V2, writeSet: genesis() });
  ledger.append({ view: V2, writeSet: put("key", "value") });
  const root = ledger.root();
  const entry = decode(signBoth(ledger));
  const before = entriesOf(ledger).slice(0, -1);
  const record = entry.signature;
  const cose = record?.cose;
  if (record === undefined || cose === undefined) throw new Error("it has both forms");

  test("each verifies with its own key in its own form", async () => {
    expect(cose.signature).toHaveLength(96);
    const signed = coseSignedBytes(cose, root);
    expect(suite.verify(service.keyPair.publicKey, signed, cose.signature)).toBe(true);
    expect(suite.verify(node.keyPair.publicKey, signed, cose.signature)).toBe(false);
    expect(record.sig[0]).toBe(0x30);
    expect(signatureFromDer(record.sig, "P-256")).toHaveLength(64);
    expect(await refusals(before, entry)).toEqual(["no error", expect.objectContaining({ ok: true })]);
  });

  test("a classic form by the service, or as r ‖ s, is refused", async () => {
    const other = createLedger();
    for (const bytes of before) other.appendReplicated(decode({ bytes }));
    const byService = decode(other.appendSignature({ view: V2, ...node, keyPair: service.keyPair }));
    expect(await refusals(before, byService)).toEqual(["bad-signature", "bad-signature"]);
    const raw = resigned(entry, signatureFromDer(record.sig, "P-256"));
    expect(await refusals(before, raw)).toEqual(["bad-signature", "bad-signature"]);
  });

  test("a COSE form by the node is refused, whichever key it names", async () => {
    const p384 = createNode(service, "P-384");
    for (const [publicKey, code] of [
      [p384.keyPair.publicKey, "bad-kid"],
      [service.keyPair.publicKey, "bad-cose-signature"],
    ] as const) {
      const other = createLedger();
      for (const bytes of before) other.appendReplicated(decode({ bytes }));
      const keyPair = { publicKey, privateKey: p384.keyPair.privateKey };
      const signed = decode(signBoth(other, { ...serviceSigner(), keyPair }));
      expect(await refusals(before, signed)).toEqual([code, code]);
    }
  });

  test("5: the kid is the hex text of the digest, as bytes", () => {
    const kid = utf8(hex(suite.sha256(service.keyPair.publicKey.spki)));
    expect(kid).toHaveLength(64);
    expect(cose.header.keyId).toBe(spkiHash(suite, service.keyPair.publicKey.spki));
    // 4: bstr(64)
    expect(hex(cose.protectedBytes)).toContain(`045840${hex(kid)}`);
    expect(encodeCoseHeader(cose.header)).toEqual(cose.protectedBytes);
  });
});

describe("9: the write set digest covers the flags", () => {
  test("so they are decided before, and every node stores the same bytes", () => {
    const primary = createLedger({ chunkBytes: 1 });
    primary.append({ view: V2, writeSet: genesis() });
    const signed = sign(primary);
    expect(signed.flags).toBe(FLAG_CHUNK_ENDS_AFTER);
    expect(signed.bytes[1]).toBe(FLAG_CHUNK_ENDS_AFTER);
    expect(signed.digest).toEqual(suite.sha256(signed.bytes));
    const backup = createLedger({ chunkBytes: 1_000_000 }); // its own counter would have decided otherwise
    for (const bytes of entriesOf(primary)) backup.appendReplicated(decode({ bytes }));
    expect(entriesOf(backup)).toEqual(entriesOf(primary));
    expect(backup.root()).toEqual(primary.root());
    const unflagged = signed.bytes.slice();
    unflagged[1] = 0;
    expect(decode({ bytes: unflagged }).leaf).not.toEqual(decode(signed).leaf);
  });
});

describe("13: a reader takes the ends of chunks from the files", () => {
  test("a chunk in the middle may have been cut at a signature that carries no flag", async () => {
    const ledger = createLedger();
    ledger.append({ view: V2, writeSet: genesis() });
    const first = sign(ledger);
    ledger.append({ view: V2, writeSet: put("key", "value") });
    sign(ledger);
    const entries = entriesOf(ledger);
    expect(first.flags).toBe(0);
    const chunks = new Map([
      ["ledger_1-2.committed", finishedChunk(entries.slice(0, 2))],
      ...openChunk(entries.slice(2), 3),
    ]);
    expect(await verify(chunks)).toMatchObject({ ok: true });
    const reader = await directoryReader(memorySource(chunks));
    expect(await reader.read(seqno(1), seqno(4))).toEqual(entries);
  });

  test("or be ended by the entry that begins the next one", async () => {
    const ledger = createLedger();
    ledger.append({ view: V2, writeSet: genesis() });
    sign(ledger);
    ledger.append({ view: V2, writeSet: put("key", "value"), flags: FLAG_CHUNK_ENDS_BEFORE });
    sign(ledger);
    const entries = entriesOf(ledger);
    const chunks = new Map([
      ["ledger_1-2.committed", finishedChunk(entries.slice(0, 2))],
      ...openChunk(entries.slice(2), 3),
    ]);
    expect(await verify(chunks)).toMatchObject({ ok: true });
  });
});

describe("14: an entry without a private part", () => {
  test("has a real tag over its public domain, and no ciphertext", () => {
    const { bytes } = createLedger().append({ view: V2, writeSet: put("key", "value", "public:m") });
    const entry = decode({ bytes });
    expect(entry).toMatchObject({ privateBytes: 0, privateMaps: [] });
    expect(bytes.subarray(TAG_OFFSET, IV_OFFSET)).not.toEqual(new Uint8Array(16));
    for (const offset of [TAG_OFFSET, IV_OFFSET - 1, bytes.length - 9]) {
      const changed = bytes.slice();
      changed[offset] = (changed[offset] ?? 0) ^ 1;
      expect(codeOf(() => decode({ bytes: changed }))).not.toBe("no error");
      if (offset < IV_OFFSET) expect(codeOf(() => decode({ bytes: changed }))).toBe("bad-tag");
    }
    const zeroTag = bytes.slice().fill(0, TAG_OFFSET, IV_OFFSET);
    expect(codeOf(() => decode({ bytes: zeroTag }))).toBe("bad-tag");
  });
});

describe("15: certificates change, and identities do", () => {
  const renewal = (pem: string): WriteSet => [
    { name: ENDORSED_CERTIFICATES_TABLE, writes: [[utf8(node.nodeId), utf8(pem)]], removes: [] },
  ];
  test("a node's certificate may be renewed for the same key, and for no other", async () => {
    const times = { notBefore: new Date("2026-01-01"), notAfter: new Date("2036-01-01") };
    const der = endorse(suite, service, { publicKey: node.keyPair.publicKey, name: "again", hosts: [], ...times });
    const renewed = pemEncode("CERTIFICATE", der);
    expect(renewed).not.toBe(node.certificatePem);
    for (const [pem, signer, result] of [
      [renewed, { ...node, certificatePem: renewed }, expect.objectContaining({ ok: true })],
      // One from before the renewal names the same key.
      [renewed, node, expect.objectContaining({ ok: true })],
      [createNode(service).certificatePem, node, "bad-node-id"],
    ] as const) {
      const ledger = createLedger();
      ledger.append({ view: V2, writeSet: genesis() });
      sign(ledger);
      ledger.append({ view: V2, writeSet: renewal(pem) });
      ledger.appendSignature({ view: V2, ...signer });
      expect(await verify(openChunk(entriesOf(ledger)))).toEqual(result);
    }
  });

  test("each COSE signature belongs to the identity in force at its point", async () => {
    const other = createService("recovered");
    const otherPem = pemEncode("CERTIFICATE", other.certificate);
    const second = createNode(other);
    const made = (signers: readonly (typeof service)[]) => {
      const ledger = createLedger();
      const writeSets = [
        genesis({ serviceStatus: "Open" }),
        genesis({ node: second, cert: otherPem, serviceStatus: "Recovering" }),
      ];
      for (const [index, writeSet] of writeSets.entries()) {
        const of: View = view(index === 0 ? 2 : 4);
        ledger.append({ view: of, writeSet });
        const signer = signers[index] ?? service;
        ledger.appendSignature({ view: of, ...(index === 0 ? node : second), service: serviceSigner(signer) });
      }
      return openChunk(entriesOf(ledger));
    };
    expect(await verify(made([service, other]))).toMatchObject({ ok: true, serviceIdentities: 2 });
    expect(await verify(made([service, service]))).toBe("bad-kid");
    expect(await verify(made([other, other]))).toBe("bad-kid");
  });
});

describe("16: one ledger", () => {
  test("may mix entry types, and signatures with and without the COSE form", async () => {
    const ledger = createLedger();
    ledger.append({ view: V2, writeSet: genesis() });
    const domain = (type: number, at: number, ...rest: Uint8Array[]) =>
      concatBytes(Uint8Array.of(type), u64(at), ...rest, map("public:m", `key ${at}`));
    const byHand = (publicDomain: Uint8Array, at: number) =>
      ledger.appendReplicated(
        decodeEntry(suite, secrets, seal(publicDomain, new Uint8Array(), { ivSeqno: at, ivView: 2 })),
      );
    byHand(domain(0, 2, u64(0)), 2);
    sign(ledger);
    const evidence = decode({
      bytes: encodeEntry(suite, secrets, { view: V2, seqno: seqno(4), writeSet: put("a", "b") }),
    });
    byHand(domain(3, 4, evidence.commitEvidenceDigest ?? new Uint8Array(0), u64(0)), 4);
    signBoth(ledger);
    ledger.append({ view: V2, writeSet: put("key", "value") });
    sign(ledger);
    signBoth(ledger);
    const entries = entriesOf(ledger);
    expect(entries.map((bytes) => decode({ bytes }).entryType)).toEqual([4, 0, 4, 3, 4, 4, 4, 4]);
    expect(await verify(openChunk(entries))).toMatchObject({ ok: true, unsigned: 0 });
  });
});
