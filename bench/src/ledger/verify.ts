/**
 * Reading a ledger directory with every check, as `ledger verify` does and a node that restarts, against reading and hashing it once: SHA-256
 * of each entry, and nothing else. In turns, on files in the operating system's cache.
 */
import { generateKeyPairSync, hash, sign, verify as verifySignature } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { LedgerSecrets, parseEntryHeader, verifyLedger } from "@sealane/ledger";
import { ledgerDirectory, openLedger } from "@sealane/ledger/files";
import { Replay } from "@sealane/node/core";
import { parseNodeId, view } from "@sealane/wire";
import { collectGarbage } from "../measure/collect.js";
import { startCpu } from "../measure/cpu.js";
import { type Measure, type Section, type Verdict, verdict } from "../measure/report.js";
import { Rounds } from "../measure/rounds.js";
import { spreadOf } from "../measure/statistics.js";
import { ENTRY_BYTES, sizeName } from "./entries.js";
import { ENTRIES_PER_SIGNATURE, type MadeLedger, makeLedger } from "./made-ledger.js";

/** Above what reading and hashing may cost; or this many megabytes a second, whichever is easier to reach. */
const GOAL = 1.5;
const GOAL_MB = 300;
/** Above what the crypto calls may cost that no verifier can do without. */
const CRYPTO_GOAL = 1.3;

export interface VerifyEffort {
  readonly rounds: number;
  /** Of values in each ledger, up to `entriesMax` entries. */
  readonly bytes: number;
  readonly entriesMax: number;
}

/** The offset of the positions table stands before the first entry of a file. */
const CHUNK_HEADER_BYTES = 8;

const NAMES = ["verify", "verify with secrets", "restart", "read and hash", "its crypto calls"] as const;
type Name = (typeof NAMES)[number];

export async function benchVerify({ rounds, bytes, entriesMax }: VerifyEffort): Promise<Section> {
  const dir = await mkdtemp(join(tmpdir(), "sealane-bench-"));
  const measures: Measure[] = [];
  const verdicts: Verdict[] = [];
  try {
    for (const size of ENTRY_BYTES) {
      const count = Math.min(entriesMax, Math.ceil(bytes / size));
      const ledger = await makeLedger(join(dir, sizeName(size)), size, count);
      const result = await Rounds.run(NAMES, rounds, (name) => cpuOf(() => WORK[name](ledger)));
      const what = `${sizeName(size)} a record`;
      for (const contestant of NAMES) {
        const values = result.values(contestant);
        const rate = spreadOf(values.map((us) => ledger.bytes / us));
        measures.push({ what, contestant, unit: "MB/CPU-s", value: rate });
        const each = spreadOf(values.map((us) => us / ledger.lastSeqno));
        measures.push({ what, contestant, unit: "CPU us/entry", value: each });
      }
      for (const name of NAMES.slice(0, 2)) {
        const fast = spreadOf(result.values(name).map((us) => (GOAL_MB * us) / ledger.bytes));
        verdicts.push(verdict("verify", `${name}, ${what}: time`, `${GOAL_MB} MB/s`, fast, 1));
        verdicts.push(
          verdict("verify", `${name}, ${what}`, "read and hash", result.ratio(name, "read and hash"), GOAL),
        );
      }
      const bare = result.ratio("verify", "its crypto calls");
      verdicts.push(verdict("verify", `verify, ${what}`, "its crypto calls", bare, CRYPTO_GOAL));
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return {
    title: "Reading a ledger back",
    measures,
    verdicts,
    remarks: [
      `Two P-384 signatures to check every ${ENTRIES_PER_SIGNATURE.toLocaleString("en")} entries. Either of the two goals is enough.`,
    ],
  };
}

async function cpuOf(work: () => Promise<void>): Promise<number> {
  collectGarbage();
  const spent = startCpu();
  await work();
  return spent();
}

const WORK: Readonly<Record<Name, (ledger: MadeLedger) => Promise<void>>> = {
  verify: (ledger) => verify(ledger, false),
  "verify with secrets": (ledger) => verify(ledger, true),
  restart,
  "read and hash": readAndHash,
  "its crypto calls": cryptoCalls,
};

async function verify({ directory, secrets, lastSeqno }: MadeLedger, withSecrets: boolean): Promise<void> {
  const options = { suite, ...(withSecrets ? { secrets: new LedgerSecrets(secrets) } : {}) };
  const result = await verifyLedger(ledgerDirectory(directory), options);
  if (!result.ok || result.entries !== lastSeqno) throw new Error("a good ledger verifies");
}

/** What a node does before it takes part again. */
async function restart({ directory, secrets, lastSeqno }: MadeLedger): Promise<void> {
  const hardState = { view: view(0), votedFor: undefined, commitSeqno: lastSeqno };
  const replay = new Replay({ suite, id: parseNodeId("00".repeat(32)), ledgerSecrets: secrets }, hardState);
  const { storage, entries } = await openLedger(directory, { durable: lastSeqno });
  for await (const entry of entries) replay.handleEntry(entry);
  await storage.close();
}

async function readAndHash({ directory }: MadeLedger): Promise<void> {
  await eachEntry(directory, (entry) => hash("sha256", entry, "buffer"));
}

/** Entry, leaf, tree node, and two signatures now and then: each in the shortest form `node:crypto` has, on memory of the same lengths. */
async function cryptoCalls({ directory }: MadeLedger): Promise<void> {
  const [leaf, node] = [new Uint8Array(96), new Uint8Array(64)];
  let entries = 0;
  await eachEntry(directory, (entry) => {
    for (const hashed of [entry, leaf, node]) hash("sha256", hashed, "binary");
    if (++entries % ENTRIES_PER_SIGNATURE > 0) return;
    for (const [digest, signature] of SIGNATURES) {
      if (!verifySignature(digest, node, { key: SIGNER.publicKey, ...RAW }, signature)) throw new Error("it verifies");
    }
  });
}

const SIGNER = generateKeyPairSync("ec", { namedCurve: "P-384" });
const RAW = { dsaEncoding: "ieee-p1363" } as const;
/** Those of a signature entry are of these two kinds. */
const SIGNATURES = ["sha256", "sha384"].map(
  (digest) => [digest, sign(digest, new Uint8Array(64), { key: SIGNER.privateKey, ...RAW })] as const,
);

async function eachEntry(directory: string, work: (entry: Uint8Array) => void): Promise<void> {
  for (const name of (await readdir(directory)).toSorted()) {
    const bytes = await readFile(join(directory, name)); // of 5 MiB
    const table = Number(bytes.readBigUInt64LE(0));
    const end = table === 0 ? bytes.length : table;
    for (let offset = CHUNK_HEADER_BYTES; offset < end; ) {
      const { bytes: length } = parseEntryHeader(bytes, offset);
      work(bytes.subarray(offset, offset + length));
      offset += length;
    }
  }
}
