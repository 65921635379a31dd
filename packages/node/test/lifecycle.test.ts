import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { type NodeError, startNode } from "../src/index.js";
import { call, found, pair, refused, temporaryDir, WatchedNode } from "./support.js";

describe("stopping and coming back", () => {
  it("answers no quorum, in time, while the backup is gone, and commits again when it is back", async () => {
    const { primary, backup } = await pair();
    await backup.node.stop();
    const noQuorum = { status: 503, body: { error: { code: "no-quorum", retryable: true } } };
    expect(await call(primary.node, "PUT", "/records/a", { value: 1 })).toMatchObject(noQuorum);
    await primary.until(() => primary.node.state().role !== "primary");
    expect(await call(primary.node, "PUT", "/records/a", { value: 1 })).toMatchObject(noQuorum);

    const returned = await WatchedNode.start({ dataDir: backup.dir, service: { type: "resume" } });
    const leads = ({ node }: WatchedNode): boolean => node.state().role === "primary";
    await Promise.race([primary.until(() => leads(primary)), returned.until(() => leads(returned))]);
    const leader = leads(primary) ? primary : returned;
    expect(returned.node.nodeId).toBe(backup.node.nodeId);
    expect(await call(leader.node, "PUT", "/records/a", { value: 1 })).toMatchObject({ status: 200 });
  });

  it("brings a whole service back from its directories", async () => {
    const { primary, backup } = await pair();
    await call(backup.node, "PUT", "/records/kept", { value: "yes" });
    await Promise.all([primary.node.stop(), backup.node.stop()]);
    const [first, second] = await Promise.all(
      [primary, backup].map(({ dir }) => WatchedNode.start({ dataDir: dir, service: { type: "resume" } })),
    );
    if (first === undefined || second === undefined) throw new Error("two nodes come back");
    await Promise.race([first, second].map((node) => node.until(() => node.node.state().role === "primary")));
    expect(await call(first.node, "PUT", "/records/new", { value: "also" })).toMatchObject({ status: 200 });
    expect(await call(first.node, "GET", "/records/kept")).toMatchObject({ body: { value: "yes" } });
  });

  it("keeps secrets in one file that only its owner can read", async () => {
    const { dir, node } = await found();
    const path = join(dir, "node.private.json");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, "member0.private.pem"))).mode & 0o777).toBe(0o600);
    const { ledgerSecrets } = JSON.parse(await readFile(path, "utf8")) as { ledgerSecrets: { key: string }[] };
    for (const name of ["node.json", "service.pem"]) {
      const text = await readFile(join(dir, name), "utf8");
      expect(text).not.toContain("PRIVATE");
      expect(text).not.toContain(ledgerSecrets[0]?.key);
    }
    await node.stop();
    expect(await readFile(join(dir, "state.json"), "utf8")).not.toContain(ledgerSecrets[0]?.key);
  });
});

describe("what keeps a node from starting", () => {
  it("a directory that holds a node", async () => {
    const { dir } = await found();
    await expect(startNode({ dataDir: dir, service: { type: "new" } })).rejects.toEqual(refused("data-dir-in-use"));
  });

  it.skipIf(!existsSync("/proc/self/stat"))(
    "a living process named in node.pid, and not one that only waits to be buried",
    async () => {
      const { dir, node } = await found();
      await node.stop();
      // The shell becomes a program that does not wait for the child it has, which ends after that.
      const parent = spawn("sh", ["-c", "sleep 0.5 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
      try {
        const child = Number(String((await once(parent.stdout, "data"))[0]));
        const hasEnded = async () => (await readFile(`/proc/${child}/stat`, "utf8")).includes(") Z");
        await vi.waitUntil(hasEnded, { timeout: 10_000 });
        await writeFile(join(dir, "node.pid"), `${parent.pid}\n`);
        const resume = { dataDir: dir, service: { type: "resume" } } as const;
        await expect(startNode(resume)).rejects.toEqual(refused("data-dir-in-use"));
        await writeFile(join(dir, "node.pid"), `${child}\n`);
        const again = await startNode(resume);
        await again.stop();
      } finally {
        parent.kill("SIGKILL");
      }
    },
  );

  it("a directory with no node to resume", async () => {
    const dataDir = await temporaryDir();
    await expect(startNode({ dataDir, service: { type: "resume" } })).rejects.toEqual(refused("data-dir-empty"));
  });

  it("a directory that is a file", async () => {
    const dataDir = join(await temporaryDir(), "file");
    await writeFile(dataDir, "");
    await expect(startNode({ dataDir, service: { type: "new" } })).rejects.toEqual(refused("data-dir-damaged"));
  });

  it.skipIf(process.platform !== "linux")("a directory that cannot be made", async () => {
    const dataDir = "/proc/nothing/node0";
    await expect(startNode({ dataDir, service: { type: "new" } })).rejects.toEqual(refused("data-dir-damaged"));
  });

  it("a private file that was changed, which is not quoted", async () => {
    const { dir, node } = await found();
    await node.stop();
    await writeFile(join(dir, "node.private.json"), '{"nodeKey":"SECRET"');
    const error = await startNode({ dataDir: dir, service: { type: "resume" } }).catch((cause: unknown) => cause);
    expect(error).toEqual(refused("data-dir-damaged"));
    expect(String(error) + String((error as NodeError).cause)).not.toContain("SECRET");
  });

  it("a ledger that was changed", async () => {
    const { dir, node } = await found();
    await node.stop();
    const path = join(dir, "ledger", "ledger_1");
    const bytes = await readFile(path);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const error = await startNode({ dataDir: dir, service: { type: "resume" } }).catch((cause: unknown) => cause);
    expect(error).toEqual(refused("fault"));
    expect(String(error)).toContain("seqno 1");
  });

  it("ports that are taken", async () => {
    const { node } = await found();
    const taken = { host: "127.0.0.1", port: Number(node.apiAddress.split(":")[1]) };
    const service = { type: "new" } as const;
    await expect(startNode({ dataDir: await temporaryDir(), service, api: taken })).rejects.toEqual(
      refused("address-in-use"),
    );
    await expect(startNode({ dataDir: await temporaryDir(), service, node: taken })).rejects.toEqual(
      refused("address-in-use"),
    );
  });

  it("a service certificate that is none", async () => {
    const service = { type: "join", url: "https://127.0.0.1:9", serviceCertificate: "hello" } as const;
    await expect(startNode({ dataDir: await temporaryDir(), service })).rejects.toEqual(refused("wrong-service"));
  });

  it("a server of another service, which is told nothing", async () => {
    const [one, other] = await Promise.all([found(), found()]);
    const joiner = await WatchedNode.start({
      service: { type: "join", url: one.node.apiUrl, serviceCertificate: other.node.serviceCertificate ?? "" },
    });
    await expect(joiner.node.closed).rejects.toEqual(refused("wrong-service"));
    expect(one.node.state().nodes).toHaveLength(1);
  });

  it("its caller's signal", async () => {
    const controller = new AbortController();
    const joiner = await WatchedNode.start({
      service: {
        type: "join",
        url: "https://127.0.0.1:9",
        serviceCertificate: (await found()).node.serviceCertificate ?? "",
      },
      signal: controller.signal,
    });
    controller.abort();
    await expect(joiner.node.ready).rejects.toEqual(refused("aborted"));
    await joiner.node.closed;
  });
});
