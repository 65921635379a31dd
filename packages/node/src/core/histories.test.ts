import { nativeSuite as suite } from "@sealane/crypto/native";
import { json, map, utf8Text } from "@sealane/kv";
import { decodeEntry, Ledger, LedgerSecrets } from "@sealane/ledger";
import {
  fromUtf8,
  parseEntriesPage,
  parseHistoricalEntry,
  parseJson,
  parseKeyHistoryPage,
  type Seqno,
  seqno,
  type TxId,
  utf8,
  view,
} from "@sealane/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Answer } from "./answer.js";
import { RequestError } from "./errors.js";
import { ENTRIES_PER_TURN_MAX, HISTORIES_MAX, Histories } from "./histories.js";
import { entriesQuery, entryQuery, type HistoryQuery, keyQuery } from "./history-query.js";
import { SCANNED_ENTRIES_MAX } from "./history-scan.js";
import { keyHistory } from "./key-history.js";
import { StoredEntries } from "./stored-entries.js";

const V2 = view(2);
const LAST = 200;
/** The ledger secret changes behind this entry. */
const ROTATED = 90;
const records = map("records", { key: utf8Text, value: json((value) => value) });
const shown = new Set(["records"]);
const secrets = new LedgerSecrets([
  { from: seqno(1), key: suite.randomBytes(32) },
  { from: seqno(ROTATED + 1), key: suite.randomBytes(32) },
]);
const entries = made();
/** As `entries`, in a view that was rolled back: authentic, and never committed. */
const otherEntries = made(view(3));

/** Entry n writes n under `k<n mod 3>`, in a map that is shown, one that is not and a public one; each 20th removes its key. */
function made(of = V2): Uint8Array[] {
  const ledger = new Ledger({ suite, secrets });
  return Array.from({ length: LAST }, (_, index) => {
    const at = index + 1;
    const key = utf8(`k${at % 3}`);
    const change =
      at % 20 === 0 ? { writes: [], removes: [key] } : { writes: [[key, utf8(`${at}`)] as const], removes: [] };
    const names = ["public:notes", "records", "secrets"];
    const writeSet = names.map((name) => ({ name, ...change }));
    return ledger.append({ view: of, writeSet }).bytes;
  });
}

/** What the ledger says of a key, found without the code under test: seqno and what it wrote, or null where it was removed. */
function expected(key: number, from: number, to: number): [number, unknown][] {
  const all: [number, unknown][] = [];
  for (let at = from; at <= to; at++) if (at % 3 === key) all.push([at, at % 20 === 0 ? null : at]);
  return all;
}

class World {
  commitSeqno = seqno(LAST);
  /** Entries from here on are in memory, those from `heldFrom` on in the files. */
  memoryFrom = 1;
  heldFrom = 1;
  files: readonly Uint8Array[] = entries;
  readonly stored = new StoredEntries();
  readonly histories: Histories;
  readonly answers = new Map<number, Answer>();
  reads = 0;
  #nextId = 0;

  constructor(more: Partial<Pick<World, "memoryFrom" | "commitSeqno" | "heldFrom" | "files">> = {}) {
    Object.assign(this, more);
    const { stored } = this;
    const commitSeqno = () => this.commitSeqno;
    this.histories = new Histories(
      {
        replica: {
          get commitSeqno() {
            return commitSeqno();
          },
          status: ({ view: of, seqno: at }: TxId) =>
            at <= commitSeqno() ? (of === V2 ? "committed" : "invalid") : at <= LAST ? "pending" : "unknown",
        },
        entryAt: (at: Seqno) => (at >= this.memoryFrom ? entries[at - 1] : undefined),
        decode: (bytes) => decodeEntry(suite, secrets, bytes),
      },
      stored,
    );
  }

  ask(query: HistoryQuery, deadlineMs = 1_000): number {
    const id = this.#nextId++;
    this.histories.handleRequest(id, query, (answer) => this.answers.set(id, answer), deadlineMs);
    return id;
  }

  /** What the host does between turns: reads what is asked for, at most `count` entries at a time. */
  serve(count = 1_000): void {
    for (let read = this.stored.pollOutput(); read !== undefined; read = this.stored.pollOutput()) {
      this.reads += 1;
      const through = Math.min(read.through, read.from - 1 + count);
      const range = read.from < this.heldFrom ? [] : this.files.slice(read.from - 1, through);
      this.stored.handleEntries(read.id, range, 0, seqno(this.heldFrom));
    }
  }

  /** Turns until nothing is left to do. */
  run(count?: number): number {
    for (let turns = 1; ; turns++) {
      this.histories.handleFlush();
      this.serve(count);
      if (this.histories.waitUntilMs > 0) return turns;
      if (turns > 10_000) throw new Error("it never ends");
    }
  }

  answerOf(id: number): unknown {
    const answer = this.answers.get(id);
    if (answer === undefined) return undefined;
    const body = parseJson(answer.body);
    if (answer.status === 200) return body;
    return Object(Reflect.get(Object(body), "error")).code;
  }

  /** One page. */
  page(query: HistoryQuery, count?: number): unknown {
    const id = this.ask(query);
    this.run(count);
    return this.answerOf(id);
  }
}

const key = (query: Record<string, string>, which = 1) => keyQuery(keyHistory(records, `k${which}`), query);
const found = (page: unknown) =>
  parseKeyHistoryPage(page).changes.map((change) => [
    Number(change.txId.split(".")[1]),
    "removed" in change ? null : change.value,
  ]);

describe("the history of a key", () => {
  it("is every committed change in order, under both secrets, removals included", () => {
    const page = parseKeyHistoryPage(new World().page(key({ limit: "1000" })));
    expect(page).toMatchObject({ from: 1, to: LAST, next: null });
    expect(found(page)).toEqual(expected(1, 1, LAST));
    expect(page.changes.find(({ txId }) => txId === "2.40")).toEqual({ txId: "2.40", removed: true });
  });

  it("page by page, from memory and files, either way, is the same as at once", () => {
    const arbitrary = fc.record({
      from: fc.integer({ min: 1, max: LAST }),
      length: fc.integer({ min: 0, max: LAST }),
      limit: fc.integer({ min: 1, max: 40 }),
      newestFirst: fc.boolean(),
      memoryFrom: fc.integer({ min: 1, max: LAST + 1 }),
      count: fc.integer({ min: 1, max: 70 }),
    });
    fc.assert(
      fc.property(arbitrary, ({ from, length, limit, newestFirst, memoryFrom, count }) => {
        const world = new World({ memoryFrom });
        const last = Math.min(LAST, from + length);
        const all: unknown[] = [];
        let [lower, upper] = [from, last];
        for (let pages = 0; ; pages++) {
          expect(pages).toBeLessThan(LAST);
          const order = newestFirst ? "descending" : "ascending";
          const query = { from: `${lower}`, to: `${upper}`, limit: `${limit}`, order };
          const answer = parseKeyHistoryPage(world.page(key(query), count));
          expect(answer.changes.length).toBeLessThanOrEqual(limit);
          all.push(...found(answer));
          if (answer.next === null) break;
          if (newestFirst) upper = answer.next;
          else lower = answer.next;
        }
        const right = expected(1, from, last);
        expect(all).toEqual(newestFirst ? right.reverse() : right);
      }),
      { numRuns: 60 },
    );
  });

  it("ends at what was committed when it was asked, unless a later end is given", () => {
    const world = new World({ commitSeqno: seqno(50) });
    expect(world.page(key({}))).toMatchObject({ to: 50, next: null });
    expect(world.page(key({ from: "51" }))).toEqual({ changes: [], from: 51, to: 50, next: null });
    expect(world.page(key({ to: "60" }))).toMatchObject({ to: 60, next: 51 });
    const later = world.ask(key({ from: "51", to: "60" }));
    const back = world.ask(key({ from: "1", to: "60", order: "descending" }));
    world.run();
    expect([world.answerOf(later), world.answerOf(back)]).toEqual([undefined, undefined]);
    world.commitSeqno = seqno(70);
    world.histories.handleCommit();
    world.run();
    expect(found(world.answerOf(later))).toEqual(expected(1, 51, 60));
    expect(found(world.answerOf(back))).toEqual(expected(1, 1, 60).reverse());
  });

  it("is refused at its deadline when its end is not committed by then", () => {
    const world = new World({ commitSeqno: seqno(50) });
    const id = world.ask(key({ from: "51", to: "60" }), 500);
    world.run();
    expect(world.histories.waitUntilMs).toBe(500);
    world.histories.handleTick(499);
    expect(world.answers.size).toBe(0);
    world.histories.handleTick(500);
    expect(world.answerOf(id)).toBe("timeout");
    world.run();
    expect(world.histories.waitUntilMs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("entries", () => {
  it("show public maps and those private ones that clients may read, and no others", () => {
    const page = parseEntriesPage(new World().page(entriesQuery({ from: "7", to: "9" }, shown)));
    expect(page.entries.map(({ txId }) => txId)).toEqual(["2.7", "2.8", "2.9"]);
    const [entry] = page.entries;
    expect(entry?.publicMaps.map(({ name }) => name)).toEqual(["public:notes"]);
    expect(entry?.privateMaps.map(({ name }) => name)).toEqual(["records"]);
    expect(entry?.privateMaps[0]?.writes[0]?.map(fromUtf8)).toEqual(["k1", "7"]);
    const hidden = parseEntriesPage(new World().page(entriesQuery({ from: "7", to: "7" }, new Set())));
    expect(hidden.entries[0]).toMatchObject({ privateMaps: [], privateBytes: entry?.privateBytes });
    expect(JSON.stringify(hidden)).not.toContain("secrets");
  });

  it("say by digest which bytes they are", () => {
    const entry = parseHistoricalEntry(
      new World({ memoryFrom: LAST }).page(entryQuery({ view: V2, seqno: seqno(120) }, shown)),
    );
    const bytes = entries[119] ?? new Uint8Array();
    expect(entry).toMatchObject({
      txId: "2.120",
      bytes: bytes.length,
      writeSetDigest: Buffer.from(suite.sha256(bytes)).toString("hex"),
      signature: null,
    });
    expect(entry.privateMaps[0]?.removes.map(fromUtf8)).toEqual(["k0"]);
  });

  it("of a transaction that was rolled back, or is not committed yet", () => {
    const world = new World({ commitSeqno: seqno(50) });
    const of = (v: number, at: number) => entryQuery({ view: view(v), seqno: seqno(at) }, shown);
    for (const query of [of(3, 9), of(2, 0)])
      expect(() => world.ask(query)).toThrow(expect.objectContaining({ code: "not-found" }));
    const id = world.ask(of(2, 60));
    const lost = world.ask(of(3, 60));
    world.run();
    expect(world.answers.size).toBe(0);
    world.commitSeqno = seqno(60);
    world.histories.handleCommit();
    world.run();
    expect(world.answerOf(id)).toMatchObject({ txId: "2.60" });
    expect(world.answerOf(lost)).toBe("not-found");
  });
});

describe("entries that are not there", () => {
  it("from before the first one in the files are not held, and the sentence says what is", () => {
    const world = new World({ memoryFrom: 150, heldFrom: 100 });
    const id = world.ask(key({}));
    world.run();
    expect(world.answerOf(id)).toBe("not-held");
    expect(fromUtf8(world.answers.get(id)?.body ?? utf8(""))).toContain("It holds entries from 100 on.");
    expect(world.page(entryQuery({ view: V2, seqno: seqno(99) }, shown))).toBe("not-held");
    expect(found(world.page(key({ from: "100", limit: "1000" })))).toEqual(expected(1, 100, LAST));
  });

  it("end a way back where they begin: what was found comes first, then not-held", () => {
    const world = new World({ memoryFrom: 150, heldFrom: 100 });
    const page = parseKeyHistoryPage(world.page(key({ order: "descending", limit: "1000" })));
    expect(page.next).toBeGreaterThanOrEqual(99);
    expect(found(page)).toEqual(expected(1, (page.next ?? 0) + 1, LAST).reverse());
    expect(world.page(key({ to: `${page.next}`, order: "descending", limit: "1000" }))).toBe("not-held");
  });

  it("and what a broken or lying host hands out instead is not shown", () => {
    const changed = entries.map((entry) => {
      const other = entry.slice();
      other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
      return other;
    });
    const shifted = [...entries.slice(1), new Uint8Array(3)];
    for (const files of [changed, shifted, otherEntries, entries.map(() => new Uint8Array(0))]) {
      const world = new World({ memoryFrom: LAST + 1, files });
      expect(world.page(key({}))).toBe("not-held");
      expect(world.page(entriesQuery({ order: "descending" }, shown))).toBe("not-held");
    }
  });
});

describe("parameters", () => {
  it.each([
    { from: "0" },
    { from: "-1" },
    { from: "" },
    { from: "1e3" },
    { from: "01" },
    { from: "9007199254740992" },
    { from: "99999999999999999999" },
    { to: "x" },
    { from: "3", to: "2" },
    { limit: "0" },
    { limit: "1001" },
    { order: "newest" },
    { order: "__proto__" },
  ])("%j are malformed", (query) => {
    for (const ask of [() => key(query), () => entriesQuery(query, shown)])
      expect(ask).toThrow(expect.objectContaining({ code: "malformed" }));
  });

  it("of the greatest size cost nothing", () => {
    const world = new World();
    const id = world.ask(key({ from: "9007199254740991", to: "9007199254740991" }));
    world.run();
    expect(world.answers.size).toBe(0);
    expect(world.stored.pollOutput()).toBeUndefined();
    world.histories.handleTick(1_000);
    expect(world.answerOf(id)).toBe("timeout");
  });
});

describe("many questions", () => {
  it("are worked on a few at a time, each turn a little, and all are answered alike", () => {
    const world = new World({ memoryFrom: LAST + 1 });
    const ids = Array.from({ length: 50 }, (_, index) => world.ask(key({ limit: "1000" }, index % 3)));
    world.histories.handleFlush();
    let reading = 0;
    while (world.stored.pollOutput() !== undefined) reading += 1;
    expect(reading).toBe(4);
    const other = new World({ memoryFrom: LAST + 1 });
    for (const [index] of ids.entries()) other.ask(key({ limit: "1000" }, index % 3));
    expect(other.run()).toBeGreaterThanOrEqual((50 * LAST) / ENTRIES_PER_TURN_MAX);
    for (const [index, id] of ids.entries()) expect(found(other.answerOf(id))).toEqual(expected(index % 3, 1, LAST));
  });

  it("are refused beyond a bound, and there is room again once some are answered", () => {
    const world = new World({ commitSeqno: seqno(50) });
    for (let index = 0; index < HISTORIES_MAX; index++) world.ask(key({ from: "60", to: "61" }));
    expect(() => world.ask(key({}))).toThrow(RequestError);
    world.histories.handleTick(1_000);
    expect(world.answers.size).toBe(HISTORIES_MAX);
    expect(world.page(key({}))).toMatchObject({ next: null });
  });

  it("that nobody waits for any more are dropped, and make room for the next", () => {
    const world = new World({ memoryFrom: LAST + 1 });
    const gone = Array.from({ length: 4 }, () => world.ask(key({})));
    const last = world.ask(key({ limit: "1000" }));
    world.histories.handleFlush();
    for (const id of gone) world.histories.handleGone(id);
    world.run();
    expect([...world.answers.keys()]).toEqual([last]);
    world.histories.handleGone(last); // after its answer: nothing
    expect(world.histories.waitUntilMs).toBe(Number.POSITIVE_INFINITY);
  });

  it("that the host never answers end at the deadline, and those behind them go on", () => {
    const world = new World({ memoryFrom: LAST + 1 });
    const stuck = Array.from({ length: 4 }, () => world.ask(key({}), 500));
    const next = world.ask(key({}), 900);
    world.histories.handleFlush();
    while (world.stored.pollOutput() !== undefined) {}
    expect(world.histories.waitUntilMs).toBe(500);
    world.histories.handleTick(500);
    expect(stuck.map((id) => world.answerOf(id))).toEqual(Array(4).fill("timeout"));
    world.run();
    expect(world.answerOf(next)).toMatchObject({ next: null });
  });
});

it("a page ends after a bounded walk, though nothing was found", () => {
  const long = new Ledger({ suite, secrets });
  const writeSet = [{ name: "records", writes: [[utf8("other"), utf8("1")] as const], removes: [] }];
  const many = Array.from({ length: SCANNED_ENTRIES_MAX + 10 }, () => long.append({ view: V2, writeSet }).bytes);
  const world = new World({ memoryFrom: many.length + 1, commitSeqno: seqno(many.length), files: many });
  expect(world.page(key({}))).toEqual({ changes: [], from: 1, to: many.length, next: SCANNED_ENTRIES_MAX + 1 });
});

it("a page ends behind the item that makes it long, and an entry too large to show is refused by itself", () => {
  const ledger = new Ledger({ suite, secrets });
  const sizes = [400_000, 400_000, 400_000, 5_000_000, 10];
  const files = sizes.map((size) => {
    const writes = [[utf8("k1"), utf8(`"${"x".repeat(size)}"`)] as const];
    return ledger.append({ view: V2, writeSet: [{ name: "records", writes, removes: [] }] }).bytes;
  });
  const world = new World({ memoryFrom: LAST, commitSeqno: seqno(5), files });
  expect(parseKeyHistoryPage(world.page(key({})))).toMatchObject({ changes: { length: 3 }, next: 4 });
  const first = parseEntriesPage(world.page(entriesQuery({ from: "3" }, shown)));
  expect(first).toMatchObject({ entries: { length: 1 }, next: 4 });
  expect(world.page(entriesQuery({ from: "4" }, shown))).toBe("too-large");
  expect(world.page(entryQuery({ view: V2, seqno: seqno(4) }, shown))).toBe("too-large");
  expect(world.page(entriesQuery({ from: "5" }, shown))).toMatchObject({ next: null });
});

it("what an application cannot show is its fault, told without what it was", () => {
  const broken = {
    map: "records",
    key: utf8("k1"),
    show() {
      throw new TypeError("of a secret");
    },
  };
  const world = new World();
  const id = world.ask(keyQuery(broken, {}));
  world.run();
  expect(world.answerOf(id)).toBe("internal");
  expect(fromUtf8(world.answers.get(id)?.body ?? utf8(""))).not.toContain("secret");
});
