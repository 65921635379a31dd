/**
 * A node's ledger directory as the page looks at it, read from outside while the node may be writing. Secrets are read for one answer
 * at a time and never leave this process: the page gets what they open.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { nativeSuite } from "@sealane/crypto/native";
import {
  buildReceipt,
  decodeEntry,
  entriesFrom,
  LedgerError,
  LedgerSecrets,
  type PlacedEntry,
  shownMaps,
} from "@sealane/ledger";
import { ledgerDirectory } from "@sealane/ledger/files";
import { base64, type Seqno } from "@sealane/wire";
import { DemoError, systemCode } from "./errors.js";
import type { LedgerPageView, OpenedEntryView, ReceiptView } from "./ledger-feed.js";
import { readSecrets } from "./secrets.js";

/** An answer ends with the entry that goes beyond it. */
const PAGE_BYTES_MAX = 1024 * 1024;
/** A chunk file may get its final name between being listed and being opened. */
const READ_ATTEMPTS = 3;

/** @param count - At most `PAGE_ENTRIES_MAX` of the feed. */
export async function ledgerPage(dataDir: string, from: number, count: number): Promise<LedgerPageView> {
  return reading(async () => {
    const entries: LedgerPageView["entries"][number][] = [];
    let bytes = 0;
    for await (const { seqno: at, file, offset, bytes: entry } of entriesFrom(source(dataDir), from)) {
      if (at >= from + count || bytes > PAGE_BYTES_MAX) break;
      entries.push({ seqno: at, file, offset, bytes: base64(entry) });
      bytes += entry.length;
    }
    return { entries };
  });
}

/** @throws {DemoError} when there is no such entry, or it cannot be opened. */
export async function openedEntry(dataDir: string, at: Seqno): Promise<OpenedEntryView> {
  const { bytes } = await entryAt(dataDir, at);
  const { privateMaps = [] } = await explained(async () => decodeEntry(nativeSuite, await secretsOf(dataDir), bytes));
  return { maps: shownMaps(privateMaps) };
}

/** @param committed - As far as the node is known to have committed. @throws {DemoError} when there is no receipt yet. */
export async function receiptFor(dataDir: string, at: Seqno, committed: Seqno): Promise<ReceiptView> {
  const { bytes } = await entryAt(dataDir, at);
  const [secrets, serviceCertificate] = await Promise.all([
    secretsOf(dataDir),
    readFile(join(dataDir, "service.pem"), "utf8"),
  ]);
  return explained(() =>
    reading(async () => {
      const txId = decodeEntry(nativeSuite, undefined, bytes);
      const { json } = await buildReceipt(source(dataDir), txId, { suite: nativeSuite, secrets, committed });
      return { receipt: JSON.stringify(json), serviceCertificate };
    }),
  );
}

function source(dataDir: string) {
  return ledgerDirectory(join(dataDir, "ledger"));
}

async function secretsOf(dataDir: string): Promise<LedgerSecrets> {
  return new LedgerSecrets(await readSecrets(dataDir));
}

async function entryAt(dataDir: string, at: Seqno): Promise<PlacedEntry> {
  const found = await reading(async () => {
    for await (const entry of entriesFrom(source(dataDir), at)) return entry;
    return undefined;
  });
  if (found?.seqno !== at) throw new DemoError(`This node's ledger has no entry ${at}.`);
  return found;
}

async function reading<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await explained(read);
    } catch (error) {
      if (systemCode(error) !== "ENOENT" || attempt === READ_ATTEMPTS) throw error;
    }
  }
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause;
    throw new DemoError(`${capital(cause.message)}.`, { cause });
  }
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
