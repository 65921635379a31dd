/** What the benchmark's ledgers are made of: one private map and one record an entry, as a small application writes them. */
import { randomBytes } from "node:crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { Ledger, LedgerSecrets } from "@sealane/ledger";
import { seqno, utf8, view, type WriteSet } from "@sealane/wire";

export const ENTRY_BYTES = [100, 1_024, 16_384] as const;
/** The first view of a service. */
export const VIEW = view(2);

/** As many different keys: enough that none of them stays in a cache by itself. */
export const KEYS = 1_000;

/** @param valueBytes - Of each record. @returns write sets to take in turns. */
export function writeSets(valueBytes: number): (index: number) => WriteSet {
  const sets = Array.from({ length: KEYS }, (_, index): WriteSet => {
    return [{ name: "records", writes: [[utf8(`key-${index}`), randomBytes(valueBytes)]], removes: [] }];
  });
  return (index) => sets[index % KEYS] ?? [];
}

export function newSecrets(): LedgerSecrets {
  return new LedgerSecrets([{ from: seqno(1), key: suite.randomBytes(32) }]);
}

/** An empty ledger with the native suite. @param retainBytes - Memory for committed entries. */
export function newLedger(secrets: LedgerSecrets, retainBytes: number): Ledger {
  return new Ledger({ suite, secrets, retainBytes });
}

export function sizeName(bytes: number): string {
  return bytes >= 1_024 ? `${bytes / 1_024} KiB` : `${bytes} B`;
}
