import { nobleSuite } from "@sealane/crypto";
import { Ledger, LedgerSecrets } from "@sealane/ledger";
import { base64, seqno, utf8, view } from "@sealane/wire";
import { afterEach, expect, test, vi } from "vitest";
import { LedgerPageView, OpenedEntryView, ReceiptView } from "../../ledger-feed.js";
import { ask, readEntries } from "./ask.js";

afterEach(() => vi.unstubAllGlobals());

function answering(status: number, text: string): void {
  vi.stubGlobal("fetch", async () => new Response(text, { status }));
}

const opened = {
  maps: [{ name: "records", writes: [{ key: "a", value: { hex: "00ff" } }], removes: ["b"] }],
};

test("takes what was asked for", async () => {
  answering(200, JSON.stringify(opened));
  expect(await ask(0, "/7/private", OpenedEntryView)).toEqual({ view: opened });
});

test.each([
  ["another answer", { receipt: "{}", serviceCertificate: "" }],
  ["null", null],
  ["a list", []],
  ["a map without a name", { maps: [{ writes: [], removes: [] }] }],
  ["a value that is neither text nor hex", { maps: [{ name: "a", writes: [{ key: "a", value: 1 }], removes: [] }] }],
  ["a removal that is an object", { maps: [{ name: "a", writes: [], removes: [{}] }] }],
])("refuses %s with a sentence", async (_, answer) => {
  answering(200, JSON.stringify(answer));
  expect(await ask(0, "/7/private", OpenedEntryView)).toEqual({
    trouble: expect.stringMatching(/something else.*\.$/),
  });
});

test.each([
  ["an entry without its bytes", LedgerPageView, { entries: [{ seqno: 1, file: "ledger_1", offset: 8 }] }],
  ["a seqno that is none", LedgerPageView, { entries: [{ seqno: 0, file: "ledger_1", offset: 8, bytes: "" }] }],
  [
    "more entries than a page",
    LedgerPageView,
    { entries: Array(101).fill({ seqno: 1, file: "", offset: 8, bytes: "" }) },
  ],
  ["a receipt as an object", ReceiptView, { receipt: {}, serviceCertificate: "" }],
])("refuses %s", async (_, schema, answer) => {
  answering(200, JSON.stringify(answer));
  expect(await ask(0, "", schema)).toHaveProperty("trouble");
});

test("says what the server says when it refuses, and something when it does not", async () => {
  answering(409, '{"error":"This node has no entry 7."}');
  expect(await ask(0, "/7/private", OpenedEntryView)).toEqual({ trouble: "This node has no entry 7." });
  answering(500, "[]");
  expect(await ask(0, "/7/private", OpenedEntryView)).toHaveProperty("trouble");
  answering(502, "<html>");
  expect(await ask(0, "", LedgerPageView)).toEqual({ trouble: "The demo cannot be reached." });
  vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("failed")));
  expect(await ask(0, "", LedgerPageView)).toEqual({ trouble: "The demo cannot be reached." });
});

test("entries are shown up to the first that cannot be read, and that one is named", () => {
  const secrets = new LedgerSecrets([{ from: seqno(1), key: new Uint8Array(32) }]);
  const ledger = new Ledger({ suite: nobleSuite, secrets });
  const writeSet = [{ name: "public:notes", writes: [[utf8("a"), utf8("b")] as const], removes: [] }];
  const bytes = ledger.append({ view: view(2), writeSet }).bytes.slice();
  const stored = (at: number, text: string) => ({ seqno: at, file: "ledger_1", offset: 8 * at, bytes: text });
  const good = readEntries({ entries: [stored(1, base64(bytes))] });
  expect(good.listed.map(({ entry }) => entry.seqno)).toEqual([1]);
  expect(good.trouble).toBeUndefined();
  for (const text of ["!", "", base64(bytes.subarray(1))]) {
    const bad = readEntries({ entries: [stored(1, base64(bytes)), stored(2, text), stored(3, base64(bytes))] });
    expect(bad.listed).toHaveLength(1);
    expect(bad.trouble).toMatch(/^Entry 2 \(ledger_1, offset 16\) cannot be read: /);
  }
});
