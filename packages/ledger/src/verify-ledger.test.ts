import { createServiceIdentity, pemEncode } from "@sealane/crypto";
import { concatBytes, seqno, utf8, view, type WriteSet } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import {
  at,
  codeOf,
  createLedger,
  createNode,
  createService,
  decode,
  fill,
  genesis,
  node,
  put,
  secrets,
  service,
  servicePem,
  sign,
  suite,
  V2,
} from "../test/fixture.js";
import { encodeEntry } from "./encode-entry.js";
import { splitEntries } from "./entry-header.js";
import { openLedger } from "./files/node-ledger.js";
import type { LedgerEntry } from "./ledger.js";
import { memorySource } from "./ledger-source.js";
import { FLAG_CHUNK_ENDS_AFTER, FLAG_CHUNK_ENDS_BEFORE } from "./limits.js";
import { SINGLE_KEY, signatureWriteSet } from "./signature-record.js";
import { MemoryDisk } from "./testing/memory-disk.js";
import { ENDORSED_CERTIFICATES_TABLE, NODES_INFO_TABLE, SERVICE_INFO_TABLE } from "./trust-tables.js";
import type { VerifyOptions } from "./verification.js";
import { verifyLedger } from "./verify-ledger.js";

type Files = Map<string, Uint8Array>;
type Entry = Pick<LedgerEntry, "seqno" | "flags" | "committable" | "bytes">;

async function write(entries: readonly Entry[], commit = 0): Promise<Files> {
  const disk = new MemoryDisk();
  const { storage } = await openLedger("dir", { disk });
  storage.append(entries);
  storage.commit(seqno(commit));
  await storage.close();
  return disk.contents();
}

const verify = (files: Files, options: Partial<VerifyOptions> = {}) =>
  verifyLedger(memorySource(files), { suite, secrets, ...options });

/** Two chunks: one committed, one open that ends with a signature. */
const entries = fill(createLedger({ chunkBytes: 1_000 }), 3, 2);
entries.push(
  ...((ledger) => {
    for (const entry of entries) ledger.appendReplicated(decode(entry));
    return [sign(ledger)];
  })(createLedger({ chunkBytes: 1_000_000 })),
);
const files = await write(entries, 4);

/** A ledger of these transactions with a signature behind each group. */
async function writeSets(...groups: readonly (readonly WriteSet[])[]): Promise<Files> {
  const ledger = createLedger();
  const made: LedgerEntry[] = [];
  for (const group of groups) {
    for (const writeSet of group) made.push(ledger.append({ view: V2, writeSet }));
    made.push(sign(ledger));
  }
  return write(made);
}

/** Puts entries into one open chunk as they are, whether or not they belong there. */
const openChunk = (...parts: readonly Uint8Array[]): Files =>
  new Map([["ledger_1", concatBytes(new Uint8Array(8), ...parts)]]);

describe("a good ledger", () => {
  test("verifies, and says what is signed", async () => {
    expect([...files.keys()]).toEqual(["ledger_5", "ledger_1-4.committed"]);
    const expected = {
      ok: true,
      entries: 6,
      signatures: 2,
      lastSigned: { view: 2, seqno: 6 },
      unsigned: 0,
      serviceIdentities: 1,
    };
    expect(await verify(files, { serviceCertificate: servicePem })).toMatchObject({
      ...expected,
      serviceCertificate: servicePem,
    });
    expect(await verifyLedger(memorySource(files), { suite })).toMatchObject(expected);
  });

  test("reports what follows the last signature as unsigned, and an empty directory as empty", async () => {
    const tail = await write([...entries.slice(0, 4), at(entries, 4)]);
    expect(await verify(tail)).toMatchObject({ ok: true, entries: 5, lastSigned: { seqno: 4 }, unsigned: 1 });
    expect(await verify(await write(entries.slice(0, 2)))).toMatchObject({ ok: true, signatures: 0, unsigned: 2 });
    expect(await verify(new Map())).toMatchObject({ ok: true, entries: 0, unsigned: 0 });
  });

  test("skips files that were set aside and files that are not its own", async () => {
    const more = new Map([
      ...files,
      ["ledger_7.ignored", utf8("x")],
      ["ledger_7-9.committed.recovery", utf8("x")],
      ["notes", utf8("x")],
    ]);
    expect(await verify(more)).toMatchObject({ ok: true, entries: 6 });
  });
});

/** Where the entries of a chunk lie. */
function spansOf(chunk: Uint8Array): { start: number; end: number }[] {
  const table = Number(new DataView(chunk.buffer).getBigUint64(0, true));
  let start = 8;
  return splitEntries(chunk.subarray(8, table === 0 ? undefined : table)).map(({ length }) => {
    start += length;
    return { start: start - length, end: start };
  });
}

describe("damage", () => {
  const offsetsIn = (name: string) => files.get(name)?.length ?? 0;

  test("every changed byte is found: by the entry's own tag, or by the walk", { timeout: 20_000 }, async () => {
    let walks = 0;
    for (const [name, good] of files) {
      const spans = spansOf(good);
      for (let offset = 0; offset < good.length; offset++) {
        const bad = good.slice();
        bad[offset] = (bad[offset] ?? 0) ^ (1 << ((offset * 5) % 8));
        const span = spans.find(({ start, end }) => start <= offset && offset < end);
        // The walk decodes each entry by itself first: what that refuses the walk refuses. A sample shows it; the rest shows all others.
        const refused =
          span !== undefined && codeOf(() => decode({ bytes: bad.subarray(span.start, span.end) })) !== "no error";
        if (refused && offset % 29 !== 0) continue;
        walks++;
        const result = await verify(new Map([...files, [name, bad]]));
        if (result.ok) throw new Error(`a changed bit of byte ${offset} in ${name} was not found`);
        if (span !== undefined && refused) expect(result.at).toMatchObject({ file: name, offset: span.start });
      }
    }
    expect(walks).toBeGreaterThan(100);
  });

  test("every byte of an entry's frame and of the table is checked, in its lowest, a middle and its highest bit", async () => {
    const name = "ledger_1-4.committed";
    const good = files.get(name) ?? new Uint8Array();
    const table = Number(new DataView(good.buffer).getBigUint64(0, true));
    const frames = [0, 8, 8 + at(entries, 0).bytes.length].flatMap((start) =>
      Array.from({ length: 44 }, (_, index) => start + index),
    );
    for (const offset of [...frames, ...Array.from({ length: good.length - table }, (_, index) => table + index)]) {
      for (const bit of [0, 3, 7]) {
        const bad = good.slice();
        bad[offset] = (bad[offset] ?? 0) ^ (1 << bit);
        expect((await verify(new Map([...files, [name, bad]]))).ok, `bit ${bit} of byte ${offset}`).toBe(false);
      }
    }
  });

  test("without secrets changed bytes before the last signature entry is found too", {
    timeout: 20_000,
  }, async () => {
    const last = (files.get("ledger_5")?.length ?? 0) - at(entries, -1).bytes.length;
    for (const [name, end] of [
      ["ledger_1-4.committed", offsetsIn("ledger_1-4.committed")],
      ["ledger_5", last],
    ] as const) {
      for (let offset = 0; offset < end; offset += 41) {
        const bad = (files.get(name) ?? new Uint8Array()).slice();
        bad[offset] = (bad[offset] ?? 0) ^ 0x10;
        const result = await verifyLedger(memorySource(new Map([...files, [name, bad]])), { suite });
        expect(result.ok, `byte ${offset} in ${name}`).toBe(false);
      }
    }
  });

  test("a file cut short anywhere is found, unless exactly whole entries of the open chunk are missing", async () => {
    const open = files.get("ledger_5") ?? new Uint8Array();
    const whole = 8 + at(entries, 4).bytes.length;
    for (let length = 0; length < open.length; length += 37) {
      expect((await verify(new Map([...files, ["ledger_5", open.subarray(0, length)]]))).ok).toBe(false);
    }
    expect(await verify(new Map([...files, ["ledger_5", open.subarray(0, whole)]]))).toMatchObject({
      ok: true,
      unsigned: 1,
    });
    const name = "ledger_1-4.committed";
    const closed = files.get(name) ?? new Uint8Array();
    for (let length = 0; length < closed.length; length += 151) {
      expect((await verify(new Map([...files, [name, closed.subarray(0, length)]]))).ok).toBe(false);
    }
  });

  test("the first bad entry is named with its file and offset", async () => {
    const bad = (files.get("ledger_5") ?? new Uint8Array()).slice();
    bad[8 + 20] = (bad[8 + 20] ?? 0) ^ 1;
    const result = await verify(new Map([...files, ["ledger_5", bad]]));
    expect(result).toMatchObject({ ok: false, code: "bad-tag", at: { seqno: 5, file: "ledger_5", offset: 8 } });
  });
});

describe("codes", () => {
  const code = async (given: Files | Promise<Files>, options?: Partial<VerifyOptions>) => {
    const result = await verify(await given, options);
    return result.ok ? "ok" : result.code;
  };
  const bytes = entries.map((entry) => entry.bytes);
  const rename = (...names: [string, string][]) =>
    new Map([...files].map(([name, content]) => [new Map(names).get(name) ?? name, content]));
  const encode = (at: number, writeSet: WriteSet, more: { flags?: number; view?: number } = {}) =>
    encodeEntry(suite, secrets, { view: view(more.view ?? 2), seqno: seqno(at), writeSet, flags: more.flags ?? 0 });

  test("of the directory", async () => {
    expect(await code(rename(["ledger_5", "ledger_x"]))).toBe("bad-file-name");
    expect(await code(rename(["ledger_1-4.committed", "ledger_1-5.committed"]))).toBe("bad-file-name");
    expect(await code(rename(["ledger_5", "ledger_5-6.committed"]))).toBe("bad-file-name");
    expect(await code(rename(["ledger_5", "ledger_6"]))).toBe("gap");
    expect(await code(new Map([...files].slice(0, 1)))).toBe("gap");
    expect(
      await code(
        new Map([...openChunk(...bytes.slice(0, 4)), ["ledger_5", files.get("ledger_5") ?? new Uint8Array()]]),
      ),
    ).toBe("gap");
    expect(await code(openChunk(...bytes.slice(0, 4)))).toBe("unfinished");
    expect(await code(openChunk(at(bytes, 0).subarray(0, -1)))).toBe("unfinished");
    expect(await code(openChunk())).toBe("unfinished");
    expect(await code(openChunk(...bytes.slice(0, 5)))).toBe("bad-chunk-end");
    expect(await code(openChunk(at(bytes, 0), encode(2, put("k", "v"), { flags: FLAG_CHUNK_ENDS_BEFORE })))).toBe(
      "bad-chunk-end",
    );
    const good = files.get("ledger_1-4.committed") ?? new Uint8Array();
    const far = good.slice();
    far.fill(0xff, 0, 8);
    expect(await code(new Map([...files, ["ledger_1-4.committed", far]]))).toBe("bad-positions");
    expect(await code(new Map([...files, ["ledger_1-4.committed", concatBytes(good, new Uint8Array(4))]]))).toBe(
      "bad-positions",
    );
    expect(await code(new Map([...files, ["ledger_1-4.committed", good.subarray(0, -4)]]))).toBe("bad-positions");
  });

  test("of a chunk that ends without a signature, or without anything that ended it", async () => {
    const two = bytes.slice(0, 2);
    const unflagged = (() => {
      const ledger = createLedger();
      return fill(ledger, 2, 2).map((entry) => entry.bytes);
    })();
    const finished = (parts: readonly Uint8Array[]) => {
      const positions = new Uint8Array(4 * parts.length);
      const data = new DataView(positions.buffer);
      let end = 8;
      for (const [index, part] of parts.entries()) {
        data.setUint32(4 * index, end, true);
        end += part.length;
      }
      const header = new Uint8Array(8);
      new DataView(header.buffer).setUint32(0, end, true);
      return new Map([["ledger_1", concatBytes(header, ...parts, positions)]]);
    };
    expect(await code(finished(two))).toBe("bad-chunk-end");
    expect(await code(finished(unflagged))).toBe("bad-chunk-end");
    expect(await code(finished(bytes.slice(0, 4)))).toBe("ok");
  });

  test("of entries that do not follow one another", async () => {
    expect(await code(openChunk(at(bytes, 0), at(bytes, 2)))).toBe("bad-seqno");
    expect(await code(openChunk(at(bytes, 0), encode(2, put("k", "v"), { view: 1 })))).toBe("bad-view");
    expect(await code(openChunk(...bytes.slice(0, 2), encode(3, put("other", "entry")), at(bytes, 3)))).toBe(
      "root-mismatch",
    );
    const again = encodeEntry(suite, secrets, {
      view: V2,
      seqno: seqno(4),
      writeSet: decode(at(entries, 3)).writeSet,
      flags: FLAG_CHUNK_ENDS_BEFORE,
    });
    expect(
      await code(new Map([...(await write(entries.slice(0, 3))), ["ledger_4", concatBytes(new Uint8Array(8), again)]])),
    ).toBe("gap");
  });

  test("of a signature entry that ends the chunk before it", async () => {
    const chunk = await write(entries.slice(0, 4));
    const ledger = createLedger();
    for (const entry of entries.slice(0, 4)) ledger.appendReplicated(decode(entry));
    const { signature } = decode(sign(ledger));
    if (signature === undefined) throw new Error("it is a signature");
    const bad = encode(5, signatureWriteSet(signature), { flags: FLAG_CHUNK_ENDS_BEFORE });
    expect(await code(new Map([...chunk, ["ledger_5", concatBytes(new Uint8Array(8), bad)]]))).toBe("bad-chunk-end");
    const good = encode(5, signatureWriteSet(signature));
    expect(await code(new Map([...chunk, ["ledger_5", concatBytes(new Uint8Array(8), good)]]))).toBe("ok");
  });

  const other = createService();
  const otherPem = pemEncode("CERTIFICATE", other.certificate);
  const stranger = createNode(other);
  const nodeRecord = (id: string, text: string): WriteSet => [
    { name: NODES_INFO_TABLE, writes: [[utf8(id), utf8(text)]], removes: [] },
  ];
  const serviceRecord = (text: string, key: Uint8Array = SINGLE_KEY): WriteSet => [
    { name: SERVICE_INFO_TABLE, writes: [[key, utf8(text)]], removes: [] },
  ];
  const status = (text: string, cert = servicePem) => serviceRecord(JSON.stringify({ cert, status: text }));

  test("of signers without authority", async () => {
    expect(await code(writeSets([put("k", "v")]))).toBe("unknown-node");
    expect(await code(writeSets([genesis({ status: "Pending" })]))).toBe("pending-node");
    expect(await code(writeSets([genesis({ status: "Retired" })]))).toBe("ok");
    expect(await code(writeSets([genesis({ cert: otherPem })]))).toBe("not-endorsed");
    expect(await code(writeSets([genesis({ node: stranger })]))).toBe("not-endorsed");
    expect(await code(writeSets([genesis({ node: { ...node, nodeId: stranger.nodeId } })]))).toBe("bad-node-id");
    expect(await code(writeSets([genesis().slice(0, 2)]))).toBe("no-service");
    expect(await code(writeSets([genesis({ node: { ...node, certificatePem: "none" } })]))).toBe("bad-certificate");
    const gone: WriteSet = [{ name: NODES_INFO_TABLE, writes: [], removes: [utf8(node.nodeId)] }];
    expect(await code(writeSets([genesis(), gone]))).toBe("unknown-node");
    const noCertificate: WriteSet = [{ name: ENDORSED_CERTIFICATES_TABLE, writes: [], removes: [utf8(node.nodeId)] }];
    expect(await code(writeSets([genesis(), noCertificate]))).toBe("unknown-node");
  });

  test("of records that cannot be read", async () => {
    for (const text of [
      "",
      "null",
      "{}",
      '{"status":"Open"}',
      '{"status":"Trusted","cert":1}',
      '{"status":"Trusted"',
    ]) {
      expect(await code(writeSets([genesis(), nodeRecord(node.nodeId, text)]))).toBe("bad-table");
    }
    expect(await code(writeSets([genesis(), nodeRecord("node 1", '{"status":"Trusted"}')]))).toBe("bad-table");
    for (const text of ["[]", '{"status":"Open"}', JSON.stringify({ cert: servicePem, status: "toString" })]) {
      expect(await code(writeSets([genesis(), serviceRecord(text)]))).toBe("bad-table");
    }
    expect(await code(writeSets([genesis(), serviceRecord("{}", utf8("key"))]))).toBe("bad-table");
    const removed: WriteSet = [{ name: SERVICE_INFO_TABLE, writes: [], removes: [SINGLE_KEY] }];
    expect(await code(writeSets([genesis(), removed]))).toBe("bad-table");
    const binary: WriteSet = [
      { name: NODES_INFO_TABLE, writes: [[utf8(node.nodeId), Uint8Array.of(0xff)]], removes: [] },
    ];
    expect(await code(writeSets([genesis(), binary]))).toBe("bad-table");
  });

  test("of the service's states and identities", async () => {
    expect(
      await code(
        writeSets([
          genesis(),
          status("Open"),
          status("Recovering"),
          status("WaitingForRecoveryShares"),
          status("Open"),
        ]),
      ),
    ).toBe("ok");
    expect(await code(writeSets([genesis(), status("Recovering")]))).toBe("bad-service-status");
    expect(await code(writeSets([genesis(), status("Open"), status("WaitingForRecoveryShares")]))).toBe(
      "bad-service-status",
    );
    expect(await code(files, { serviceCertificate: otherPem })).toBe("other-service");
    // A new identity alone takes the old nodes their authority.
    expect(await code(writeSets([genesis(), status("Open"), status("Recovering", otherPem)]))).toBe("not-endorsed");
  });

  test("of a recovery: a new identity, its own node, and everything before stays vouched for by the old one", async () => {
    const ledger = createLedger();
    const made = [ledger.append({ view: V2, writeSet: genesis({ serviceStatus: "Open" }) }), sign(ledger)];
    const recovered = genesis({ node: stranger, cert: otherPem, serviceStatus: "Recovering" });
    made.push(
      ledger.append({ view: view(4), writeSet: recovered, flags: FLAG_CHUNK_ENDS_BEFORE }),
      sign(ledger, stranger, view(4)),
    );
    const recoveredFiles = await write(made);
    expect([...recoveredFiles.keys()]).toEqual(["ledger_1", "ledger_3"]);
    expect(await verify(recoveredFiles, { serviceCertificate: otherPem })).toMatchObject({
      ok: true,
      serviceIdentities: 2,
    });
    expect(await code(recoveredFiles, { serviceCertificate: servicePem })).toBe("other-service");
  });

  test("a renewed service certificate of the same key is the same service", async () => {
    const times = { notBefore: new Date("2026-01-01T00:00:00Z"), notAfter: new Date("2036-01-01T00:00:00Z") };
    const renewed = createServiceIdentity(
      { ...suite, generateKeyPair: () => service.keyPair },
      { name: "test service", ...times },
    );
    const pem = pemEncode("CERTIFICATE", renewed.certificate);
    expect(pem).not.toBe(servicePem);
    const result = await verify(await writeSets([genesis()], [status("Open", pem), put("k", "v")]), {
      serviceCertificate: servicePem,
    });
    expect(result).toMatchObject({ ok: true, serviceIdentities: 1, serviceCertificate: pem });
  });

  test("a source that cannot be read is an exception, not a verdict", async () => {
    const broken = {
      files: async () => [{ name: "ledger_1", size: 100, read: () => Promise.reject(new Error("EIO")) }],
    };
    await expect(verifyLedger(broken, { suite })).rejects.toThrow("EIO");
    const shrinking = { files: async () => [{ name: "ledger_1", size: 100, read: async () => new Uint8Array() }] };
    expect(await verifyLedger(shrinking, { suite })).toMatchObject({ ok: false, code: "truncated" });
  });
});

test("FLAG_CHUNK_ENDS_AFTER stands on the last entry of the finished chunk of these tests", () => {
  expect(entries.map(({ flags }) => flags)).toEqual([0, 0, 0, FLAG_CHUNK_ENDS_AFTER, 0, 0]);
});
