/** The storage on this machine's own disk: what the in-memory disk of the other tests stands for. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { equalBytes, seqno, view } from "@sealane/wire";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ledgerDirectory } from "../src/files/ledger-directory.js";
import { nodeDisk } from "../src/files/node-disk.js";
import { openLedger } from "../src/files/node-ledger.js";
import { verifyLedger } from "../src/verify-ledger.js";
import { createLedger, fill, genesis, put, secrets, servicePem, sign, suite } from "./fixture.js";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sealane-ledger-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("writes, truncates, commits, closes, opens again, reads and verifies", async () => {
  const path = join(directory, "data", "ledger");
  const { storage } = await openLedger(path);
  const ledger = createLedger({ chunkBytes: 3_000 });
  const entries = fill(ledger, 30);
  storage.append(entries);
  await storage.flush();
  storage.truncate(seqno(35));
  ledger.rollback(seqno(35));
  const more = [ledger.append({ view: view(3), writeSet: put("after", "rollback") }), sign(ledger, undefined, view(3))];
  storage.append(more);
  storage.commit(seqno(20));
  await storage.flush();
  expect(storage.stats.syncs).toBeGreaterThan(2);
  await storage.close();
  expect((await readdir(path)).some((name) => name.endsWith(".committed"))).toBe(true);

  const again = await openLedger(path, { durable: seqno(37) });
  const expected = [...entries.slice(0, 35), ...more];
  let count = 0;
  for await (const bytes of again.entries)
    expect(equalBytes(bytes, expected[count++]?.bytes ?? new Uint8Array())).toBe(true);
  expect(count).toBe(37);
  await again.storage.close();
  const result = await verifyLedger(ledgerDirectory(path), { suite, secrets, serviceCertificate: servicePem });
  expect(result).toMatchObject({ ok: true, entries: 37, lastSigned: { view: 3, seqno: 37 }, unsigned: 0 });
});

test("a write of more parts than one system call takes arrives whole", async () => {
  const file = await nodeDisk.open(join(directory, "file"), "create");
  const parts = Array.from({ length: 2_000 }, (_, index) => new Uint8Array(index % 5).fill(index));
  await file.write(parts, 3);
  await file.sync();
  const size = parts.reduce((sum, { length }) => sum + length, 3);
  expect(await file.size()).toBe(size);
  const written = await readFile(join(directory, "file"));
  let offset = 3;
  for (const part of parts) {
    expect(equalBytes(written.subarray(offset, offset + part.length), part)).toBe(true);
    offset += part.length;
  }
  expect((await file.read(size - 2, 10)).length).toBe(2);
  await file.close();
});

test("entries of several slabs reach the disk", async () => {
  const { storage } = await openLedger(directory);
  const ledger = createLedger();
  const entries = [ledger.append({ view: view(2), writeSet: genesis() })];
  for (let index = 0; index < 12; index++)
    entries.push(ledger.append({ view: view(2), writeSet: put("k", "x".repeat(200_000)) }));
  storage.append(entries);
  await storage.flush();
  expect(storage.stats.writes).toBe(2);
  let read = 0;
  while (read < entries.length) {
    for (const bytes of await storage.read(seqno(read + 1), seqno(entries.length), 500_000)) {
      expect(equalBytes(bytes, entries[read++]?.bytes ?? new Uint8Array())).toBe(true);
    }
  }
  await storage.close();
});
