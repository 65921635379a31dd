/** The past page by page, whatever the node sends. */
import { base64, utf8 } from "@sealane/wire";
import { describe, expect, test, vi } from "vitest";
import { ClientError, createClient, type RangeOptions } from "../src/index.js";
import { refusal, Script, type Step } from "./scripted.js";

const URLS = ["https://a.example:8001", "https://b.example:8001"];

function clientOf(...steps: Step[]) {
  const script = new Script(...steps);
  const { fetch, clock } = script;
  const client = createClient({ urls: URLS, fetch, clock, random: () => 0, timeoutMs: 1_000 });
  return { script, client };
}

function page(from: number, to: number, next: number | null, ...seqnos: number[]): Step {
  return { status: 200, json: { changes: seqnos.map((at) => ({ txId: `2.${at}`, value: at })), from, to, next } };
}

const entry = (at: number) => ({
  txId: `2.${at}`,
  bytes: 400,
  writeSetDigest: "ab".repeat(32),
  claimsDigest: "00".repeat(32),
  signature: null,
  publicMaps: [{ name: "public:notes", writes: [[base64(utf8("a")), base64(utf8("b"))]], removes: ["YQ=="] }],
  privateMaps: [],
  privateBytes: 12,
});

/** What comes out, and what it ends with. */
async function taken(steps: Step[], options: RangeOptions = {}) {
  const { script, client } = clientOf(...steps);
  const seqnos: number[] = [];
  const work = (async () => {
    try {
      for await (const { txId } of client.history("ship", options)) seqnos.push(Number(txId.slice(2)));
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return error.code;
    }
    return "done";
  })();
  const end = await script.clock.run(work);
  return { seqnos, end, paths: script.urls.map((url) => url.slice(URLS[0]?.length)) };
}

describe("client.history", () => {
  test("asks for the next page only when it is wanted, and up to the end of the first", async () => {
    const { script, client } = clientOf(page(1, 50, 10, 3, 9), page(10, 50, 30), page(30, 50, null, 31));
    const iterator = client.history("ship");
    expect(script.seen).toEqual([]);
    expect((await script.clock.run(iterator.next())).value).toEqual({ txId: "2.3", value: 3 });
    await iterator.next();
    expect(script.seen).toHaveLength(1);
    expect((await script.clock.run(iterator.next())).value).toMatchObject({ txId: "2.31" });
    expect((await iterator.next()).done).toBe(true);
    expect(script.urls).toEqual([
      `${URLS[0]}/records/ship/history?from=1`,
      `${URLS[0]}/records/ship/history?from=10&to=50`,
      `${URLS[0]}/records/ship/history?from=30&to=50`,
    ]);
  });

  test("goes back from the newest", async () => {
    const steps = [page(5, 50, 20, 40, 21), page(5, 20, null, 6)];
    const { seqnos, end, paths } = await taken(steps, { from: 5, newestFirst: true, pageSize: 2 });
    expect({ seqnos, end }).toEqual({ seqnos: [40, 21, 6], end: "done" });
    expect(paths).toEqual([
      "/records/ship/history?from=5&limit=2&order=descending",
      "/records/ship/history?from=5&to=20&limit=2&order=descending",
    ]);
  });

  test("goes on at another node, and with a removal", async () => {
    const removal = { changes: [{ txId: "3.9", removed: true }], from: 4, to: 9, next: null };
    const { seqnos, end } = await taken([page(1, 9, 4, 2), new Error("gone"), { status: 200, json: removal }]);
    expect({ seqnos, end }).toEqual({ seqnos: [2, 9], end: "done" });
  });

  test("ends at once where no node holds it, and at the deadline where one might yet", async () => {
    const held = await taken([refusal("not-held", 404, true)]);
    expect(held).toMatchObject({ seqnos: [], end: "not-held", paths: { length: 2 } });
    const other = await taken([refusal("not-held", 404, true), page(1, 2, null, 1)]);
    expect(other).toMatchObject({ seqnos: [1], end: "done" });
    const late = await taken([page(1, 9, 4), refusal("timeout", 503, true)], { to: 9 });
    expect(late).toMatchObject({ end: "timeout" });
  });

  test.each([
    ["another range", page(2, 9, null, 3)],
    ["another end", page(1, 8, null)],
    ["no way forward", page(1, 9, 1)],
    ["a next page behind the end", page(1, 9, 10, 3)],
    ["an item out of the range", page(1, 9, 5, 7)],
    ["an item behind the end", page(1, 9, null, 10)],
    ["items out of order", page(1, 9, null, 4, 3)],
    ["an item twice", page(1, 9, null, 4, 4)],
    ["no change at all", { status: 200, json: { changes: [{ txId: "2.3" }], from: 1, to: 9, next: null } }],
    ["more than a page", page(1, 9, null, ...Array(1_001).fill(3))],
    ["no page", { status: 200, json: [] }],
  ] as const)("refuses %s", async (_, step) => {
    expect(await taken([step], { to: 9 })).toMatchObject({ seqnos: [], end: "bad-answer" });
  });

  test("refuses a way back that does not lead back", async () => {
    for (const step of [page(1, 9, 9), page(1, 9, 0), page(1, 9, null, 3, 4)])
      expect((await taken([step], { to: 9, newestFirst: true })).end).toBe("bad-answer");
  });

  test.each([{ from: 0 }, { from: 1.5 }, { to: -1 }, { from: 3, to: 2 }, { pageSize: 0 }, { to: Number.NaN }])(
    "sends nothing for %j",
    async (options) => {
      expect(await taken([page(1, 9, null)], options)).toMatchObject({ end: "malformed", paths: [] });
    },
  );

  test("watches: all there is, then what is waited for, then all there is again", async () => {
    const { script, client } = clientOf(
      page(1, 9, 4, 2),
      page(4, 9, null, 9),
      page(10, 9, null),
      page(10, 10, null),
      page(11, 30, null, 12, 30),
      page(31, 31, null, 31),
      page(32, 20, null), // by a node that lags
      "hang",
    );
    const stop = new AbortController();
    const iterator = client.history("ship", { watch: true, signal: stop.signal });
    const next = async () => (await script.clock.run(iterator.next())).value?.txId;
    expect([await next(), await next()]).toEqual(["2.2", "2.9"]);
    expect([await next(), await next(), await next()]).toEqual(["2.12", "2.30", "2.31"]);
    const last = script.clock.run(iterator.next());
    await vi.waitUntil(() => script.seen.length >= 8);
    stop.abort();
    await expect(last).rejects.toMatchObject({ code: "aborted" });
    const asked = script.urls.map((url) => url.slice(url.indexOf("?") + 1));
    expect(asked.slice(0, 8)).toEqual([
      "from=1",
      "from=4&to=9",
      "from=10",
      "from=10&to=10",
      "from=11",
      "from=31&to=31",
      "from=32",
      "from=32&to=32",
    ]);
  });

  test("watches on when nothing is committed for longer than a call may take", async () => {
    const { script, client } = clientOf(page(1, 9, null, 9), refusal("timeout", 503, true));
    const iterator = client.history("ship", { watch: true, timeoutMs: 500 });
    await script.clock.run(iterator.next());
    const next = iterator.next();
    const over = script.clock.after(10_000, () => script.goOn(page(10, 10, null, 10)));
    expect((await script.clock.run(next)).value).toMatchObject({ txId: "2.10" });
    over();
    expect(script.clock.nowMs()).toBeGreaterThanOrEqual(10_000);
  });

  test.each([{ to: 9 }, { newestFirst: true }])("watches forwards and without an end: not %j", async (more) => {
    expect(await taken([page(1, 9, null)], { watch: true, ...more })).toMatchObject({ end: "malformed", paths: [] });
  });

  test("ends with the caller's signal, before a page and in the middle of one", async () => {
    const { script, client } = clientOf(page(1, 9, 4, 1, 2), "hang");
    const stop = new AbortController();
    const iterator = client.history("ship", { signal: stop.signal });
    await script.clock.run(iterator.next());
    stop.abort("enough");
    await expect(iterator.next()).rejects.toMatchObject({ code: "aborted", cause: "enough" });
    expect((await iterator.next()).done).toBe(true);
    const hanging = clientOf("hang");
    const waiting = hanging.client.history("ship", { signal: AbortSignal.any([stop.signal]) }).next();
    await expect(hanging.script.clock.run(waiting)).rejects.toMatchObject({ code: "aborted" });
  });

  test("leaves no timer behind when the caller stops taking", async () => {
    const { script, client } = clientOf(page(1, 9, 4, 1, 2));
    for await (const _ of client.history("ship")) break;
    expect(script.clock.timers).toBe(0);
    expect(script.seen).toHaveLength(1);
  });

  test("knows which keys there are", () => {
    expect(() => clientOf("hang").client.history("a/b")).toThrow(expect.objectContaining({ code: "malformed" }));
  });
});

describe("entries", () => {
  test("come as bytes", async () => {
    const { client, script } = clientOf({ status: 200, json: { entries: [entry(7)], from: 7, to: 7, next: null } });
    const [first] = await script.clock.run(collect(client.entries({ from: 7, to: 7 })));
    expect(script.urls).toEqual([`${URLS[0]}/tx?from=7&to=7`]);
    expect(first?.publicMaps[0]).toEqual({
      name: "public:notes",
      writes: [[utf8("a"), utf8("b")]],
      removes: [utf8("a")],
    });
  });

  test("one by its transaction id, and no other", async () => {
    const good = clientOf({ status: 200, json: entry(7) });
    expect(await good.script.clock.run(good.client.entry("2.7"))).toMatchObject({ txId: "2.7" });
    expect(good.script.urls).toEqual([`${URLS[0]}/tx/2.7/entry`]);
    const other = clientOf({ status: 200, json: entry(8) });
    await expect(other.script.clock.run(other.client.entry("2.7"))).rejects.toMatchObject({ code: "bad-answer" });
    await expect(other.client.entry("../x")).rejects.toMatchObject({ code: "malformed" });
  });

  test.each([
    ["text that is not base64", { publicMaps: [{ name: "a", writes: [["!", ""]], removes: [] }] }],
    ["a write without a value", { publicMaps: [{ name: "a", writes: [["YQ=="]], removes: [] }] }],
    ["too many bytes", { publicMaps: [{ name: "a", writes: [], removes: ["A".repeat(6 * 1024 * 1024)] }] }],
    ["a digest of another length", { writeSetDigest: "ab" }],
    ["a length that is none", { privateBytes: -1 }],
  ])("with %s are refused", async (_, change) => {
    const { client, script } = clientOf({ status: 200, json: { ...entry(7), ...change } });
    await expect(script.clock.run(client.entry("2.7"))).rejects.toMatchObject({ code: "bad-answer" });
  });
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
