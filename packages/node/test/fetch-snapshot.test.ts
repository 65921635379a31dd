/** A joiner and the nodes that give it a snapshot: honest ones, broken ones and hostile ones (ledger spec §12, step 1). */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pemDecode, pemEncode } from "@sealane/crypto";
import { nativeSuite as suite, nativeKeyWrapping as wrapping } from "@sealane/crypto/native";
import { seqno } from "@sealane/wire";
import { Agent, request } from "undici";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { endorseNode, type ServiceKeys, serviceKeys } from "../src/core/identity.js";
import { type FetchLimits, fetchSnapshot } from "../src/host/fetch-snapshot.js";
import { newNodeKeys, tlsIdentity } from "../src/host/membership.js";
import { startNode } from "../src/index.js";
import { call, temporaryDir, WatchedNode } from "./support.js";

interface Given {
  readonly name: string;
  readonly file: Uint8Array;
  readonly service: ServiceKeys;
  readonly serviceCertificate: string;
}

let given: Given;
let other: Given;
/** Of whoever speaks: a service endorses many, and one will do. */
const keys = newNodeKeys(suite, wrapping, "P-384");
const identity = tlsIdentity(suite, keys, undefined, "127.0.0.1", Date.now());

/** A snapshot of a service of its own, and that service's keys. */
async function makeSnapshot(dataDir: string): Promise<Given> {
  const node = await startNode({ dataDir, service: { type: "new" }, snapshotEvery: 5 });
  const names = async () => (await readdir(join(dataDir, "snapshots"))).filter((name) => name.endsWith("committed"));
  for (let value = 0; (await names()).length === 0; value++) await call(node, "PUT", "/records/k", { value });
  await node.stop();
  const [name = ""] = await names();
  const { serviceKey } = JSON.parse(await readFile(join(dataDir, "node.private.json"), "utf8"));
  const serviceCertificate = await readFile(join(dataDir, "service.pem"), "utf8");
  const key = suite.importPrivateKey(pemDecode("PRIVATE KEY", serviceKey));
  const service = serviceKeys(suite, key, pemDecode("CERTIFICATE", serviceCertificate));
  return { name, file: new Uint8Array(await readFile(join(dataDir, "snapshots", name))), service, serviceCertificate };
}

beforeAll(async () => {
  const parent = await mkdtemp(join(tmpdir(), "sealane-given-"));
  [given, other] = [await makeSnapshot(join(parent, "given")), await makeSnapshot(join(parent, "other"))];
  await rm(parent, { recursive: true });
}, 30_000);

type Handler = (incoming: IncomingMessage, response: ServerResponse) => void;

/** A node that the service has endorsed, and that answers as `handler` does. @returns its URL. */
async function serving(handler: Handler, { service }: Given = given): Promise<string> {
  const { keyPair, id } = keys;
  const cert = endorseNode(suite, service, { id, publicKey: keyPair.publicKey, hosts: ["127.0.0.1"] }, Date.now());
  const key = pemEncode("PRIVATE KEY", suite.exportPrivateKey(keyPair.privateKey));
  const server = createServer({ cert: pemEncode("CERTIFICATE", cert), key, minVersion: "TLSv1.3" }, handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `https://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

/** Announces a snapshot and sends ranges of it as it should. */
function honest(file: Uint8Array, name = given.name): Handler {
  return ({ method, headers }, response) => {
    if (method === "HEAD") {
      response.writeHead(308, { location: `/node/snapshot/${name}` }).end();
      return;
    }
    const [, from = 0, to = 0] = (/^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? []).map(Number);
    const part = file.subarray(from, to + 1);
    response.writeHead(206, {
      "content-range": `bytes ${from}-${from + part.length - 1}/${file.length}`,
      "content-length": part.length,
    });
    response.end(part);
  };
}

function fetchFrom(urls: readonly string[], limits: Partial<FetchLimits> = {}, since = 0) {
  const { serviceCertificate } = given;
  const quick = { rangeBytes: 1_000, rangeTimeoutMs: 2_000, triesMax: 1, retryMsMax: 1, ...limits };
  const { signal } = new AbortController();
  return fetchSnapshot({ suite, urls, serviceCertificate, identity, since: seqno(since), signal, limits: quick });
}

const code = (fetching: Promise<unknown>) =>
  fetching.then(
    () => "none",
    (error: unknown) => (error as { code?: unknown }).code,
  );

describe("a joiner fetches a snapshot", () => {
  it("in ranges, from a node that has one new enough", async () => {
    const url = await serving(honest(given.file));
    const fetched = await fetchFrom([url]);
    expect(fetched?.name.name).toBe(given.name);
    expect(fetched?.file).toEqual(given.file);
    const none = await serving((_, response) => response.writeHead(404).end());
    expect(await fetchFrom([none])).toBeUndefined();
    expect((await fetchFrom([none, url]))?.file).toEqual(given.file);
  });

  it("goes on at another node where one broke off", async () => {
    const asked: string[] = [];
    const whole = honest(given.file);
    const breaks = await serving((incoming, response) => {
      if (incoming.method === "GET") asked.push(`first ${incoming.headers.range}`);
      if (asked.length <= 3) whole(incoming, response);
      else response.destroy();
    });
    const goesOn = await serving((incoming, response) => {
      if (incoming.method === "GET") asked.push(`second ${incoming.headers.range}`);
      whole(incoming, response);
    });
    expect((await fetchFrom([breaks, goesOn]))?.file).toEqual(given.file);
    expect(asked.slice(3, 5)).toEqual(["first bytes=3000-3999", "second bytes=3000-3999"]);
  });

  it("and takes a good one from a node behind a bad one", async () => {
    const bad = await serving(honest(given.file.map((byte, index) => (index === 300 ? byte ^ 1 : byte))));
    expect((await fetchFrom([bad, await serving(honest(given.file))]))?.file).toEqual(given.file);
  });
});

describe("a joiner refuses", () => {
  /** One server whose file changes from question to question. */
  async function refusesAll(files: readonly Uint8Array[]): Promise<void> {
    let file = given.file;
    const url = await serving((incoming, response) => honest(file)(incoming, response));
    for (const wrong of files) {
      file = wrong;
      const outcome = await code(fetchFrom([url], { rangeBytes: 100_000 }));
      expect(["bad-snapshot", "snapshot-unavailable"], `${wrong.length} bytes`).toContain(outcome);
    }
  }

  it("a file that was cut anywhere", { timeout: 60_000 }, async () => {
    const { length } = given.file;
    const cuts = Array.from({ length }, (_, at) => at).filter((at) => at < 20 || at > length - 20 || at % 397 === 0);
    await refusesAll(cuts.map((at) => given.file.subarray(0, at)));
  });

  it("a file with any bit changed", { timeout: 60_000 }, async () => {
    const { length } = given.file;
    const places = Array.from({ length }, (_, at) => at).filter((at) => at < 20 || at % 397 === 0);
    await refusesAll(
      places.map((at) => given.file.map((byte, index) => (index === at ? byte ^ (1 << (at % 8)) : byte))),
    );
  });

  it("one of another service, one under another name, and one older than it must be", async () => {
    expect(await code(fetchFrom([await serving(honest(other.file, other.name))]))).toBe("bad-snapshot");
    const [, at, evidence] = given.name.split(/[_.]/).map(Number);
    const later = `snapshot_${(at ?? 0) + 1}_${(evidence ?? 0) + 1}.committed`;
    expect(await code(fetchFrom([await serving(honest(given.file, later))]))).toBe("bad-snapshot");
    const silent = await serving(honest(given.file)); // it announces what is too old, whatever it is asked for
    const limits = { retryMsMax: 1 };
    const stop = new AbortController();
    setImmediate(() => stop.abort());
    const { serviceCertificate } = given;
    const options = { suite, urls: [silent], serviceCertificate, identity, signal: stop.signal, limits };
    expect(await code(fetchSnapshot({ ...options, since: seqno((at ?? 0) + 1) }))).toBe("aborted");
  });

  it("names that are none", async () => {
    for (const name of ["", "..", "snapshot_5_4.committed", "snapshot_5_6", "snapshot_5_6.committed%00"]) {
      const stop = new AbortController();
      let asked = 0;
      const url = await serving((incoming, response) => {
        asked += 1;
        if (asked === 3) stop.abort();
        honest(given.file, name)(incoming, response);
      });
      const { serviceCertificate } = given;
      const options = {
        suite,
        urls: [url],
        serviceCertificate,
        identity,
        signal: stop.signal,
        limits: { retryMsMax: 1 },
      };
      expect(await code(fetchSnapshot({ ...options, since: seqno(0) }))).toBe("aborted");
    }
  });

  it("one that is too large, before it is sent", async () => {
    const outcome = fetchFrom([await serving(honest(given.file))], { fileBytesMax: given.file.length - 1 });
    expect(await code(outcome)).toBe("bad-snapshot");
  });

  it("a body without an end, one that comes too slowly, and ranges that are not those asked for", async () => {
    const range = { "content-range": `bytes 0-999/${given.file.length}` };
    const bodies: Handler[] = [
      (_, response) => {
        response.writeHead(206, range);
        const more = (): void => {
          if (response.writable) response.write(new Uint8Array(65_536), more);
        };
        more();
      },
      (_, response) => {
        response.writeHead(206, { ...range, "content-length": 1_000 });
        response.write(given.file.subarray(0, 1)); // and no more
      },
      (_, response) =>
        void response.writeHead(206, { "content-range": "bytes 1-1000/5000" }).end(new Uint8Array(1_000)),
      (_, response) => void response.writeHead(206, { "content-range": "bytes 0-0/5000" }).end(new Uint8Array(1)),
      (_, response) => void response.writeHead(206, { "content-range": "bytes 0-999/999" }).end(new Uint8Array(1_000)),
      (_, response) => void response.writeHead(206).end(new Uint8Array(1_000)),
      (_, response) => void response.writeHead(200).end(given.file),
      (_, response) => void response.writeHead(302, { location: "https://127.0.0.1:1/" }).end(),
    ];
    for (const [index, body] of bodies.entries()) {
      const url = await serving((incoming, response) =>
        incoming.method === "HEAD" ? honest(given.file)(incoming, response) : body(incoming, response),
      );
      expect(await code(fetchFrom([url], { rangeTimeoutMs: 300 })), `body ${index}`).toBe("snapshot-unavailable");
    }
  });

  it("a server of another service", async () => {
    expect(await code(fetchFrom([await serving(honest(given.file), other)]))).toBe("wrong-service");
    const behind = await serving(honest(given.file), other); // only the first one was named by who joins
    expect((await fetchFrom([await serving(honest(given.file)), behind]))?.name.name).toBe(given.name);
  });
});

describe("a node gives its snapshot", () => {
  it("by redirect, whole, in ranges, and as large as it is", async () => {
    const first = await WatchedNode.start({
      dataDir: await temporaryDir(),
      service: { type: "new" },
      snapshotEvery: 10,
    });
    const dispatcher = new Agent({ connect: { ca: first.node.serviceCertificate ?? "" } });
    onTestFinished(() => dispatcher.destroy());
    const ask = async (method: "GET" | "HEAD" | "PUT", path: string, range?: string) => {
      const headers = range === undefined ? {} : { range };
      const answer = await request(first.node.apiUrl + path, { method, headers, dispatcher });
      return { ...answer, bytes: new Uint8Array(await answer.body.arrayBuffer()) };
    };
    expect((await ask("GET", "/node/snapshot")).statusCode).toBe(404); // none yet
    let location = "";
    for (let value = 0; location === ""; value++) {
      await call(first.node, "PUT", "/records/k", { value });
      const { headers } = await ask("HEAD", "/node/snapshot");
      location = String(headers.location ?? "");
    }
    const file = new Uint8Array(await readFile(join(first.dir, "snapshots", location.split("/").at(-1) ?? "")));
    const whole = await ask("GET", location);
    expect([whole.statusCode, whole.headers["accept-ranges"], whole.bytes]).toEqual([200, "bytes", file]);
    expect(await ask("HEAD", location)).toMatchObject({
      statusCode: 200,
      headers: { "content-length": String(file.length) },
    });
    for (const [range, from, to] of [
      ["bytes=0-99", 0, 100],
      ["bytes=100-", 100, file.length],
      [`bytes=${file.length - 1}-${file.length + 9}`, file.length - 1, file.length],
    ] as const) {
      const { statusCode, headers, bytes } = await ask("GET", location, range);
      expect([statusCode, headers["content-range"]]).toEqual([206, `bytes ${from}-${to - 1}/${file.length}`]);
      expect(bytes).toEqual(file.subarray(from, to));
    }
    expect((await ask("GET", location, `bytes=${file.length}-`)).statusCode).toBe(416);
    for (const range of ["bytes=9-3", "bytes=-5", "lines=1-2", "bytes=0-1,3-4"]) {
      expect((await ask("GET", location, range)).statusCode).toBe(200); // not understood, so not heeded
    }
    const [, at] = location.split("_").map(Number);
    expect((await ask("GET", `/node/snapshot?since=${at}`)).statusCode).toBe(308);
    expect((await ask("GET", `/node/snapshot?since=${(at ?? 0) + 1_000}`)).statusCode).toBe(404);
    expect((await ask("GET", "/node/snapshot?since=x")).statusCode).toBe(400);
    expect((await ask("PUT", "/node/snapshot")).statusCode).toBe(405);
    for (const name of ["snapshot_1_2.committed", "snapshot_1_2", "..%2fnode.private.json", "node.json", ""]) {
      expect((await ask("GET", `/node/snapshot/${name}`)).statusCode).toBe(404);
    }
  });
});
