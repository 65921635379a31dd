import { createServiceIdentity, endorse, pemEncode, spkiHash } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import type { Ledger } from "@sealane/ledger";
import { suiteCrypto, verifyReceipt } from "@sealane/ledger/receipt";
import { fromUtf8, parseNodeId, type Seqno, seqno, type TxId, utf8, view } from "@sealane/wire";
import { beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "./answer.js";
import { RequestError } from "./errors.js";
import { LogState } from "./log-state.js";
import { RECEIPTS_MAX, type ReceiptForm, type ReceiptLog, Receipts } from "./receipts.js";
import { StoredEntries } from "./stored-entries.js";

const V2 = view(2);
const times = { notBefore: new Date("2025-01-01"), notAfter: new Date("2035-01-01") };
const identity = createServiceIdentity(suite, { name: "service", ...times });
const keyPair = suite.generateKeyPair("P-384");
const nodeId = parseNodeId(spkiHash(suite, keyPair.publicKey.spki));
const der = endorse(suite, identity, { publicKey: keyPair.publicKey, name: "node", hosts: [], ...times });
const certificatePem = pemEncode("CERTIFICATE", der);
const state = new LogState({ suite, id: nodeId, ledgerSecrets: [{ from: seqno(1), key: suite.randomBytes(32) }] });
const claims = utf8("what the application says");
const entries: Uint8Array[] = [];

/** Entries 1 to 12 with signatures at 4, 8 and 12; entry 6 has claims. */
beforeAll(() => {
  const ledger: Ledger = state.ledger;
  const service = { keyPair: identity.keyPair, issuer: "a service", subject: "a ledger", issuedAt: 1_750_000_000 };
  for (let at = 1; at <= 12; at++) {
    const writeSet = [{ name: "records", writes: [[utf8(`${at}`), utf8("value")] as const], removes: [] }];
    const entry =
      at % 4 === 0
        ? ledger.appendSignature({ view: V2, nodeId, keyPair, certificatePem, service })
        : ledger.append({ view: V2, writeSet, ...(at === 6 ? { claimsDigest: suite.sha256(claims) } : {}) });
    entries.push(entry.bytes);
  }
});

class World {
  commitSeqno = seqno(8);
  /** Entries from here on are in memory. */
  memoryFrom = 1;
  invalid = false;
  readonly stored = new StoredEntries();
  readonly receipts: Receipts;
  readonly answers: Answer[] = [];

  constructor(more: Partial<Pick<World, "memoryFrom" | "commitSeqno">> = {}) {
    Object.assign(this, more);
    const log: ReceiptLog = {
      replica: {
        status: ({ view: of, seqno: at }: TxId) => {
          if (of !== V2 || this.invalid) return "invalid";
          return at <= this.commitSeqno ? "committed" : at <= 12 ? "pending" : "unknown";
        },
        commitSeqno: this.commitSeqno,
      },
      entryAt: (at: Seqno) => (at >= this.memoryFrom ? entries[at - 1] : undefined),
      receiptOf: (txId, entry, signature) => state.receiptOf(txId, entry, signature),
    };
    Object.defineProperty(log.replica, "commitSeqno", { get: () => this.commitSeqno });
    this.receipts = new Receipts(log, this.stored);
  }

  ask(at: number, form: ReceiptForm = "json", deadlineMs = 1_000): void {
    const txId = { view: V2, seqno: seqno(at) };
    this.receipts.handleRequest(txId, form, (answer) => this.answers.push(answer), deadlineMs);
  }

  /** What the host does: reads what is asked for, at most `count` entries at a time. */
  serve(count: number, change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes): number {
    let reads = 0;
    for (let read = this.stored.pollOutput(); read !== undefined; read = this.stored.pollOutput()) {
      reads += 1;
      const range = entries.slice(read.from - 1, Math.min(read.through, read.from - 1 + count));
      this.stored.handleEntries(read.id, range.map(change), 0);
    }
    return reads;
  }

  get codes(): unknown[] {
    return this.answers.map(({ status, body }) => (status === 200 ? 200 : JSON.parse(fromUtf8(body)).error.code));
  }

  async facts(index = 0) {
    const serviceCertificate = pemEncode("CERTIFICATE", identity.certificate);
    return verifyReceipt(this.answers[index]?.body ?? "", { crypto: suiteCrypto(suite), serviceCertificate });
  }
}

describe("a receipt of a committed transaction", () => {
  it("is made at once out of memory", async () => {
    const world = new World();
    for (let at = 1; at <= 8; at++) world.ask(at);
    expect(world.codes).toEqual(Array(8).fill(200));
    for (const at of [1, 2, 3, 5, 6, 7])
      expect((await world.facts(at - 1)).transactionId).toEqual({ view: 2, seqno: at });
    expect((await world.facts(3)).transactionId).toBeUndefined(); // a signature's own
  });

  it("carries the application's claims", async () => {
    const world = new World();
    world.ask(6);
    expect((await world.facts()).claimsDigest).toEqual(suite.sha256(claims));
  });

  it("is read from storage, in as many pieces as it takes", async () => {
    for (const count of [1, 2, 100]) {
      const world = new World({ memoryFrom: 9 });
      world.ask(5);
      expect(world.answers).toEqual([]);
      expect(world.serve(count)).toBe(count === 1 ? 4 : count === 2 ? 2 : 1);
      expect((await world.facts()).transactionId).toEqual({ view: 2, seqno: 5 });
    }
  });

  it("goes on in memory where storage was left", async () => {
    const world = new World({ memoryFrom: 7 });
    world.ask(5);
    expect(world.serve(2)).toBe(1);
    expect(world.codes).toEqual([200]);
  });

  it("comes in the COSE form too, except for signatures", async () => {
    const world = new World();
    world.ask(2, "cose");
    world.ask(4, "cose");
    expect(world.codes).toEqual([200, "not-found"]);
    expect(world.answers[0]?.contentType).toBe("application/cose");
    expect((await world.facts()).form).toBe("cose");
  });
});

describe("a receipt of a transaction that is not committed", () => {
  it("waits for the commit", async () => {
    const world = new World();
    world.ask(9);
    world.receipts.handleCommit();
    expect(world.answers).toEqual([]);
    world.commitSeqno = seqno(12);
    world.receipts.handleCommit();
    expect((await world.facts()).transactionId).toEqual({ view: 2, seqno: 9 });
  });

  it("is refused at its deadline, and not before", () => {
    const world = new World();
    world.ask(9, "json", 500);
    world.ask(99, "json", 600);
    expect(world.receipts.waitUntilMs).toBe(500);
    world.receipts.handleTick(499);
    expect(world.answers).toEqual([]);
    world.receipts.handleTick(500);
    expect(world.codes).toEqual(["timeout"]);
    world.receipts.handleTick(600);
    expect(world.codes).toEqual(["timeout", "timeout"]);
    expect(world.receipts.waitUntilMs).toBe(Number.POSITIVE_INFINITY);
  });

  it("is refused when it was rolled back, before or while it waits", () => {
    const world = new World();
    world.ask(9);
    world.invalid = true;
    world.receipts.handleCommit();
    expect(world.codes).toEqual(["not-found"]);
    expect(() => world.ask(9)).toThrow(expect.objectContaining({ code: "not-found" }));
  });
});

describe("a host that is broken or lies", () => {
  const asked = (serve: (world: World) => void): unknown[] => {
    const world = new World({ memoryFrom: 9 });
    world.ask(6);
    serve(world);
    return world.codes;
  };
  const answered = (world: World, given: readonly Uint8Array[]): void => {
    const read = world.stored.pollOutput();
    world.stored.handleEntries(read?.id ?? -1, given, 0);
  };

  it("cannot read", () => {
    expect(asked((world) => answered(world, []))).toEqual(["not-held"]);
  });

  it("hands out other entries, or none at all", () => {
    expect(asked((world) => answered(world, entries.slice(6, 8)))).toEqual(["not-held"]);
    expect(asked((world) => answered(world, [entries[5], entries[11]] as Uint8Array[]))).toEqual(["not-held"]);
    expect(
      asked((world) => answered(world, [new Uint8Array(3), new Uint8Array(0), entries[7] ?? new Uint8Array()])),
    ).toEqual(["not-held"]);
  });

  it("changes any byte of the transaction or its signature", () => {
    for (const target of [5, 7]) {
      const bytes = entries[target] ?? new Uint8Array();
      for (let at = 0; at < bytes.length; at += 41) {
        const changed = bytes.slice();
        changed[at] = (changed[at] ?? 0) ^ 1;
        const given = entries.slice(5, 8).map((entry, index) => (index === target - 5 ? changed : entry));
        const code = asked((world) => {
          answered(world, given);
          // A signature entry that no longer says it is one is passed over; the next is not a signature over this leaf by itself.
          world.serve(100);
        })[0];
        if (code === 200) expect.unreachable(`byte ${at} of entry ${target + 1}`);
      }
    }
  });

  it("never answers: the deadline does", () => {
    const world = new World({ memoryFrom: 9 });
    world.ask(6, "json", 10);
    world.receipts.handleTick(10);
    expect(world.codes).toEqual(["timeout"]);
    expect(world.serve(100)).toBe(1); // an answer that comes too late is dropped
    expect(world.codes).toEqual(["timeout"]);
  });
});

describe("many receipts at a time", () => {
  it("read from storage a few at a time, and all are answered", () => {
    const world = new World({ memoryFrom: 9 });
    for (let index = 0; index < 100; index++) world.ask(1 + (index % 8));
    let most = 0;
    while (world.codes.length < 100) {
      const reads = [];
      for (let read = world.stored.pollOutput(); read !== undefined; read = world.stored.pollOutput()) reads.push(read);
      most = Math.max(most, reads.length);
      for (const { id, from, through } of reads) world.stored.handleEntries(id, entries.slice(from - 1, through), 0);
      world.receipts.handleTick(0);
    }
    expect(most).toBe(8);
    expect(new Set(world.codes)).toEqual(new Set([200]));
  });

  it("are refused beyond a bound", () => {
    const world = new World();
    for (let index = 0; index < RECEIPTS_MAX; index++) world.ask(99);
    expect(() => world.ask(9)).toThrow(RequestError);
    world.receipts.handleTick(1_000);
    expect(world.codes).toEqual(Array(RECEIPTS_MAX).fill("timeout"));
    world.ask(8);
    expect(world.codes).toHaveLength(RECEIPTS_MAX + 1);
  });

  it("are made a few in a turn, so that the node goes on meanwhile", () => {
    const world = new World();
    for (let index = 0; index < 40; index++) world.ask(9);
    world.commitSeqno = seqno(12);
    world.receipts.handleCommit();
    const made = [world.codes.length];
    while (world.receipts.waitUntilMs === 0) {
      world.receipts.handleTick(1);
      made.push(world.codes.length);
    }
    expect(made).toEqual([16, 32, 40]);
  });
});
