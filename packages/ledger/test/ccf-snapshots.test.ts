/** Snapshots of real CCF services: read, verified, continued from, and written again as the very same bytes (ledger spec §10). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { equalBytes, hex } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { entriesFrom } from "../src/chunk-walk.js";
import { decodeEntry } from "../src/decode-entry.js";
import { ledgerDirectory, snapshotDirectory } from "../src/files/ledger-directory.js";
import { Ledger } from "../src/ledger.js";
import { decodeSnapshot } from "../src/snapshot/decode-snapshot.js";
import { encodeSnapshot } from "../src/snapshot/encode-snapshot.js";
import { isEvidenceOf } from "../src/snapshot/snapshot-evidence.js";
import { verifySnapshot } from "../src/snapshot/verify-snapshot.js";
import { verifyLedger } from "../src/verify-ledger.js";
import {
  ABSENT,
  ccfLedgersPresent,
  expectedOf,
  ledgerDirectoryOf,
  secretsOf,
  serviceCertificatesOf,
  snapshotDirectoryOf,
} from "./shared.js";

const SNAPSHOTS = [
  ["expired_service", "snapshot_61_62.committed"],
  ["sgx_service", "snapshot_99_100.committed"],
  ["sgx_service", "snapshot_138_139.committed"],
] as const;

if (!ccfLedgersPresent) test.skip(ABSENT, () => {});

describe.skipIf(!ccfLedgersPresent).each(SNAPSHOTS)("%s %s", (service, name) => {
  const file = new Uint8Array(readFileSync(join(snapshotDirectoryOf(service), name)));
  const expected = expectedOf(service);
  const secrets = secretsOf(expected);
  const serviceCertificates = serviceCertificatesOf(service);

  test("encoding what was decoded gives CCF's own bytes, encrypted part and all", () => {
    const { seqno, leaf, viewHistory, publicMaps, privateMaps, entryBytes, digest } = decodeSnapshot(
      suite,
      secrets,
      file,
    );
    const maps = [...(privateMaps ?? []), ...publicMaps].reverse();
    const shuffled = maps.map((map) => ({ ...map, entries: map.entries.toReversed() }));
    const again = encodeSnapshot(suite, secrets, { seqno, leaf, viewHistory, maps: shuffled });
    expect(equalBytes(again.bytes, file.subarray(0, entryBytes))).toBe(true);
    expect(again.digest).toEqual(digest);
  });

  test("verifies, and a ledger that starts from it goes on to the same root", async () => {
    const { snapshot, base, evidence } = await verifySnapshot(file, { suite, secrets, serviceCertificates });
    expect(name).toBe(`snapshot_${snapshot.seqno}_${evidence.seqno}.committed`);
    const ledger = new Ledger({ suite, secrets, base });
    expect(ledger.lastSeqno).toBe(snapshot.seqno);
    expect(ledger.viewHistory(snapshot.seqno)).toEqual(snapshot.viewHistory);
    for await (const { seqno, bytes } of entriesFrom(ledgerDirectory(ledgerDirectoryOf(service)), snapshot.seqno + 1)) {
      const entry = decodeEntry(suite, secrets, bytes);
      if (seqno === evidence.seqno) expect(isEvidenceOf(entry.publicMaps, snapshot)).toBe(true);
      if (entry.isSignature) {
        const { root } = expected.signature_roots.find((signed) => signed.seqno === seqno) ?? { root: "" };
        expect(hex(ledger.root())).toBe(root);
        break; // the ledger would want to know the node
      }
      ledger.appendReplicated(entry);
    }
    if (ledger.lastSeqno === expected.transactions) expect(hex(ledger.root())).toBe(expected.root_after_all);
  });

  test("is refused without the service that vouches for it", async () => {
    const refused = verifySnapshot(file, { suite, secrets, serviceCertificates: [] });
    await expect(refused).rejects.toMatchObject({ code: "bad-snapshot" });
  });
});

test.runIf(ccfLedgersPresent)("there are no others", () => {
  const found = ["expired_service", "sgx_service"].flatMap((name) => readdirSync(snapshotDirectoryOf(name)));
  expect(found.sort()).toEqual(SNAPSHOTS.map(([, name]) => name).sort());
});

test.runIf(ccfLedgersPresent).each([
  ["sgx_service", 100, 99, 153],
  ["sgx_service", 38, 99, 153], // 62 entries before the snapshot, a recovery among them, are held to its tree
  ["sgx_service", 125, 138, 153],
  ["expired_service", 62, 61, 74],
  ["expired_service", 16, 61, 74],
] as const)("%s verifies from entry %i on, by the snapshot at %i", async (service, first, base, last) => {
  const chunks = ledgerDirectory(ledgerDirectoryOf(service));
  const late = { files: async () => (await chunks.files()).filter(({ name }) => Number(/\d+/.exec(name)) >= first) };
  const expected = expectedOf(service);
  const [serviceCertificate = ""] = serviceCertificatesOf(service).slice(-1);
  const snapshots = snapshotDirectory(snapshotDirectoryOf(service));
  for (const secrets of [secretsOf(expected), undefined]) {
    const options = { suite, snapshots, serviceCertificate, ...(secrets && { secrets }) };
    const result = await verifyLedger(late, options);
    expect(result).toMatchObject({ ok: true, firstSeqno: first, base: { seqno: base }, entries: last - first + 1 });
    if (result.ok) expect(hex(result.root)).toBe(expected.root_after_all);
  }
});
