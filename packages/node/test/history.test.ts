import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { map, utf8Text } from "@sealane/kv";
import { parseEntriesPage, parseHistoricalEntry, parseKeyHistoryPage } from "@sealane/wire";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { defineApp, keyHistory, type RunningNode } from "../src/index.js";
import { call, pair, rotate, WatchedNode } from "./support.js";

async function put(node: RunningNode, key: string, value: unknown): Promise<string> {
  const { status, body } = await call(node, "PUT", `/records/${key}`, { value });
  expect(status).toBe(200);
  return (body as { txId: string }).txId;
}

async function ask(node: RunningNode, path: string): Promise<unknown> {
  const { status, body } = await call(node, "GET", path);
  expect({ path, status, error: Object(body).error }).toEqual({ path, status: 200, error: undefined });
  return body;
}

const seqnoOf = (txId: string) => Number(txId.split(".")[1]);

describe("the past of a service", () => {
  it("is the same at every node, under every ledger secret, and after a restart", async () => {
    const { primary, backup } = await pair();
    const txIds = [await put(primary.node, "ship", "Vega")];
    await put(backup.node, "other", 1);
    await rotate(primary, 1);
    txIds.push(await put(backup.node, "ship", { name: "Altair" }));
    const second = Object((await call(primary.node, "GET", "/node/network")).body).ledgerSecretSeqno;
    await rotate(primary, second);
    txIds.push(await put(primary.node, "ship", null));
    const last = seqnoOf(txIds[2] ?? "");

    const changes = [
      { txId: txIds[0], value: "Vega" },
      { txId: txIds[1], value: { name: "Altair" } },
      { txId: txIds[2], value: null },
    ];
    const check = async (node: RunningNode) => {
      const path = `/records/ship/history?to=${last}`;
      expect(parseKeyHistoryPage(await ask(node, path))).toEqual({ changes, from: 1, to: last, next: null });
      const back = parseKeyHistoryPage(await ask(node, `${path}&order=descending&limit=2`));
      expect(back.changes).toEqual([...changes].reverse().slice(0, 2));
      expect(
        parseKeyHistoryPage(await ask(node, `${path}&limit=1&from=${seqnoOf(txIds[0] ?? "") + 1}`)).changes,
      ).toEqual(changes.slice(1, 2));
      const entry = parseHistoricalEntry(await ask(node, `/tx/${txIds[1]}/entry`));
      // Records are read by their keys: without one, as before, nobody is shown any.
      expect(entry).toMatchObject({ publicMaps: [], privateMaps: [], privateBytes: expect.any(Number) });
      const at = seqnoOf(entry.txId);
      const only = parseKeyHistoryPage(await ask(node, `/records/ship/history?from=${at}&to=${at}`));
      expect(only.changes).toEqual([changes[1]]);
      const all = parseEntriesPage(await ask(node, `/tx?limit=1000&to=${last}`));
      expect(all.entries.map(({ txId }) => seqnoOf(txId))).toEqual(
        Array.from({ length: last }, (_, index) => index + 1),
      );
      expect(all.entries.some(({ signature }) => signature !== null)).toBe(true);
      // What a receipt proves of the transaction is what is said here.
      const receipt = Object(await ask(node, `/tx/${txIds[1]}/receipt`));
      expect(receipt.leaf_components.write_set_digest).toBe(entry.writeSetDigest);
      return JSON.stringify(all.entries);
    };
    const [one, other] = [await check(primary.node), await check(backup.node)];
    expect(other).toBe(one);
    await Promise.all([primary, backup].map(({ node }) => node.stop()));
    const again = await Promise.all(
      [primary, backup].map(({ dir }) => WatchedNode.start({ dataDir: dir, service: { type: "resume" } })),
    );
    for (const { node } of again) expect(await check(node)).toBe(one);
  });

  it("is read back from the files, and from before them is not held", async () => {
    const first = await WatchedNode.start({ service: { type: "new" }, snapshotEvery: 10 });
    const txId = await put(first.node, "first", 1);
    const large = "x".repeat(1_000_000);
    for (let index = 0; index < 40; index++) await put(first.node, "large", `${index}${large}`);
    expect(parseKeyHistoryPage(await ask(first.node, "/records/first/history")).changes).toEqual([{ txId, value: 1 }]);
    const newest = parseKeyHistoryPage(await ask(first.node, "/records/large/history?order=descending&limit=3"));
    expect(newest.changes).toHaveLength(2); // a page ends with the item that goes beyond 1 MiB
    await first.node.stop();

    const chunks = (await readdir(join(first.dir, "ledger"))).sort((a, b) => seqnoIn(a) - seqnoIn(b));
    const [snapshot = ""] = (await readdir(join(first.dir, "snapshots"))).filter((name) => name.endsWith(".committed"));
    const start = seqnoIn(chunks.findLast((name) => seqnoIn(name) <= Number(snapshot.split("_")[1]) + 1) ?? "");
    for (const name of chunks) if (seqnoIn(name) < start) await rm(join(first.dir, "ledger", name));
    expect(start).toBeGreaterThan(seqnoOf(txId));
    const again = await WatchedNode.start({ dataDir: first.dir, service: { type: "resume" } });
    await again.until(() => again.node.state().role === "primary");
    const { status, body } = await call(again.node, "GET", "/records/first/history");
    expect({ status, body }).toMatchObject({ status: 404, body: { error: { code: "not-held", retryable: true } } });
    expect(Object(body).error.message).toContain(`It holds entries from ${start} on.`);
    expect(await call(again.node, "GET", `/tx/${txId}/entry`)).toMatchObject({ body: { error: { code: "not-held" } } });
    const rest = parseEntriesPage(await ask(again.node, `/tx?from=${start}&limit=1`));
    expect(seqnoOf(rest.entries[0]?.txId ?? "")).toBe(start);
  });

  it("shows of an application's private maps what it names, and nothing without", async () => {
    const notes = map("notes", { key: utf8Text, value: utf8Text });
    const diary = map("diary", { key: utf8Text, value: utf8Text });
    const app = (shownMaps: { readonly name: string }[]) =>
      defineApp({
        name: "notes",
        shownMaps,
        reads: {},
        histories: { "GET /notes/:key/history": ({ params }) => keyHistory(notes, params.key ?? "") },
        writes: {
          "PUT /notes/:key": {
            body: z.strictObject({ text: z.string() }),
            handler(tx, { params, body }) {
              tx.map(notes).put(params.key ?? "", body.text);
              tx.map(diary).put("today", body.text);
              return { body: {} };
            },
          },
          "DELETE /notes/:key": {
            handler(tx, { params }) {
              tx.map(notes).delete(params.key ?? "");
              return { body: {} };
            },
          },
        },
      });
    for (const shown of [[], [notes]]) {
      const { node } = await WatchedNode.start({ service: { type: "new" }, app: app(shown) });
      const { txId } = Object((await call(node, "PUT", "/notes/a", { text: "low tide" })).body);
      await call(node, "DELETE", "/notes/a");
      const entry = parseHistoricalEntry(await ask(node, `/tx/${txId}/entry`));
      expect(entry.privateMaps.map(({ name }) => name)).toEqual(shown.map(({ name }) => name));
      expect(entry.privateBytes).toBeGreaterThan(0);
      const { changes } = parseKeyHistoryPage(await ask(node, "/notes/a/history"));
      expect(changes).toEqual([
        { txId, value: "low tide" },
        { txId: expect.any(String), removed: true },
      ]);
      expect(await call(node, "GET", "/diary/today/history")).toMatchObject({ status: 404 });
    }
  });

  it("refuses what makes no sense, and goes on", async () => {
    const { node } = await WatchedNode.start({ service: { type: "new" }, commitTimeoutMs: 200 });
    for (const [path, status, code] of [
      ["/tx?from=0", 400, "malformed"],
      ["/tx?from=2&to=1", 400, "malformed"],
      ["/tx?limit=1e9", 400, "malformed"],
      ["/tx?from=%00", 400, "malformed"],
      ["/tx?from=%", 400, "malformed"],
      ["/tx?order=sideways", 400, "malformed"],
      [`/tx?from=${"9".repeat(4_000)}`, 400, "malformed"],
      ["/tx?to=9007199254740991&from=9007199254740991", 503, "timeout"],
      ["/tx/2.9007199254740991/entry", 503, "timeout"],
      ["/tx/1.1/entry", 404, "not-found"],
      ["/tx/x/entry", 400, "malformed"],
      ["/tx/2.1/entry/x", 404, "not-found"],
      ["/records/a%2Fb/history", 400, "malformed"],
      ["/records/a%FF/history", 400, "malformed"],
    ] as const) {
      expect([path, await call(node, "GET", path)]).toMatchObject([path, { status, body: { error: { code } } }]);
    }
    expect(await call(node, "POST", "/tx", {})).toMatchObject({ status: 405 });
    expect(await ask(node, "/records/none/history")).toMatchObject({ changes: [], next: null });
  });

  it("is forgotten when the client goes away, and the node goes on", async () => {
    const { node } = await WatchedNode.start({ service: { type: "new" }, commitTimeoutMs: 60_000 });
    const waiting = Array.from({ length: 256 }, () => request(node, "/tx/2.9000/entry"));
    await Promise.all(waiting.map(({ sent }) => sent));
    // They hold all the room there is; without the deadline of a minute it comes back only if they are forgotten.
    const refused = await eventually(node, ({ status }) => status === 503);
    expect(refused).toMatchObject({ body: { error: { code: "overloaded" } } });
    for (const { socket } of waiting) socket.destroy();
    expect(await eventually(node, ({ status }) => status === 200)).toMatchObject({ status: 200 });
    expect(await put(node, "a", 1)).toMatch(/^2\./);
  });
});

const seqnoIn = (name: string): number => Number(/^ledger_(\d+)/.exec(name)?.[1] ?? Number.NaN);

async function eventually(node: RunningNode, fits: (reply: { status: number }) => boolean) {
  for (;;) {
    const reply = await call(node, "GET", "/tx?limit=1");
    if (fits(reply)) return reply;
  }
}

/** A request whose answer nobody reads. */
function request(node: RunningNode, path: string): { readonly socket: TLSSocket; readonly sent: Promise<void> } {
  const url = new URL(node.apiUrl);
  const socket = connect({ host: url.hostname, port: Number(url.port), ca: node.serviceCertificate });
  onTestFinished(() => void socket.destroy());
  const sent = new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`, () => resolve());
  });
  return { socket, sent };
}
