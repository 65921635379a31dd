/**
 * etcd on loopback with mutual TLS for clients and peers, on the same P-384 certificates. The client speaks gRPC by hand, one `Put` a write
 * over one HTTP/2 connection to the leader, as etcd's own does. CPU time is what the operating system counts for the servers' processes.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type ClientHttp2Session, connect } from "node:http2";
import { Agent, get } from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { concatBytes, utf8 } from "@sealane/wire";
import { type Identity, makeIdentities } from "../contestants/identity.js";
import type { Client, Cluster } from "./cluster.js";

const HOST = "127.0.0.1";
const START_ATTEMPTS = 100;
const STOP_MS_MAX = 5_000;
/** What `/proc` counts in, on every Linux Node runs on. */
const US_PER_TICK = 10_000;

/** @returns its version; undefined where it is not installed. */
export async function etcdVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("etcd", ["--version"]);
    return /etcd Version: (\S+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

interface Server {
  readonly child: ChildProcess;
  readonly url: string;
}

export async function startEtcd(dir: string, nodes: number): Promise<Cluster> {
  const [identity] = makeIdentities(1);
  if (identity === undefined) throw new Error("one identity was made");
  await mkdir(dir, { recursive: true });
  const files = { cert: join(dir, "cert.pem"), key: join(dir, "key.pem"), ca: join(dir, "ca.pem") };
  await writeFile(files.cert, identity.certificate);
  await writeFile(files.key, identity.privateKey, { mode: 0o600 });
  await writeFile(files.ca, identity.serviceCertificate);
  const ports = await freePorts(2 * nodes);
  const at = (index: number, kind: 0 | 1): string => `https://${HOST}:${ports[2 * index + kind]}`;
  const names = Array.from({ length: nodes }, (_, index) => `node${index}`);
  const initial = names.map((name, index) => `${name}=${at(index, 1)}`).join(",");
  const servers = names.map((name, index): Server => {
    const [client, peer] = [at(index, 0), at(index, 1)];
    const options = [
      ["name", name],
      ["data-dir", join(dir, name)],
      ["listen-client-urls", client],
      ["advertise-client-urls", client],
      ["listen-peer-urls", peer],
      ["initial-advertise-peer-urls", peer],
      ["initial-cluster", initial],
      ["cert-file", files.cert],
      ["key-file", files.key],
      ["trusted-ca-file", files.ca],
      ["client-cert-auth", "true"],
      ["peer-cert-file", files.cert],
      ["peer-key-file", files.key],
      ["peer-trusted-ca-file", files.ca],
      ["peer-client-cert-auth", "true"],
      ["logger", "zap"],
      ["log-level", "error"],
    ];
    const args = options.map(([option, value]) => `--${option}=${value}`);
    return { child: spawn("etcd", args, { stdio: "ignore", env: { PATH: process.env.PATH } }), url: client };
  });
  const agent = new Agent(tlsOptions(identity));
  const close = async (): Promise<void> => {
    agent.destroy();
    await Promise.all(servers.map(({ child }) => stop(child)));
  };
  try {
    const leader = await findLeader(servers, agent);
    return {
      client: () => grpcClient(leader.url, identity),
      async usage() {
        let [cpuUs, syncs] = [0, 0];
        for (const { child, url } of servers) {
          cpuUs += await cpuOf(child.pid ?? 0);
          syncs += syncsIn(await metrics(url, agent));
        }
        return { cpuUs, syncs };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function tlsOptions({ certificate, privateKey, serviceCertificate }: Identity) {
  return { cert: certificate, key: privateKey, ca: serviceCertificate };
}

async function findLeader(servers: readonly Server[], agent: Agent): Promise<Server> {
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    for (const server of servers) {
      const text = await metrics(server.url, agent).catch(() => "");
      if (/^etcd_server_is_leader 1$/m.test(text)) return server;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("etcd found no leader");
}

function metrics(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`${url}/metrics`, { agent }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}

/** Of the log and of the database behind it. */
function syncsIn(text: string): number {
  const counts = text.matchAll(/^etcd_disk_(?:wal_fsync|backend_commit)_duration_seconds_count (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // proc(5): utime and stime are fields 14 and 15; the name in field 2 may hold anything, and ends at the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * US_PER_TICK;
}

async function grpcClient(url: string, identity: Identity): Promise<Client> {
  const session = connect(url, { ...tlsOptions(identity), settings: { enablePush: false } });
  await once(session, "connect");
  return { put: (key, value) => put(session, key, value), close: () => session.close() };
}

/** `etcdserverpb.KV/Put`. */
function put(session: ClientHttp2Session, key: string, value: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": "/etcdserverpb.KV/Put",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("trailers", (trailers) => {
      if (trailers["grpc-status"] === "0") resolve();
      else reject(new Error(`etcd: ${String(trailers["grpc-message"])}`));
    });
    stream.on("error", reject);
    stream.on("close", () => reject(new Error("etcd gave no answer"))); // of no effect after an answer
    stream.resume();
    stream.end(grpcMessage(concatBytes(field(1, utf8(key)), field(2, utf8(value)))));
  });
}

/** A protobuf field of bytes, under 128 of them. */
function field(number: number, bytes: Uint8Array): Uint8Array {
  if (bytes.length > 127) throw new RangeError("a short field has at most 127 bytes");
  return concatBytes(Uint8Array.of((number << 3) | 2, bytes.length), bytes);
}

/** Not compressed, u32 big-endian length. */
function grpcMessage(message: Uint8Array): Uint8Array {
  const head = new Uint8Array(5);
  new DataView(head.buffer).setUint32(1, message.length);
  return concatBytes(head, message);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, HOST);
    await once(server, "listening");
    const address = server.address();
    if (address !== null && typeof address === "object") ports.push(address.port);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
  await exited;
  clearTimeout(timer);
}
