/** Sealane nodes on loopback, each in its process, trusted by their member, with clients over HTTPS. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { parseCertificate, pemDecode, spkiHash } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { ballotBytes, base64, type GovernanceAction, NodeId } from "@sealane/wire";
import type { Client, Cluster, Usage } from "./cluster.js";
import type { NodeAnswer, NodeCommand } from "./node-protocol.js";

const STOP_MS_MAX = 5_000;

export interface SealaneOptions {
  /** For the nodes' processes. */
  readonly execArgv?: readonly string[];
  /** Of the service's key and the nodes'. Default P-384. */
  readonly curve?: "P-384" | "P-256";
}

export async function startSealane(dir: string, nodes: number, options: SealaneOptions = {}): Promise<Cluster> {
  const { execArgv = [], curve = "P-384" } = options;
  const processes: NodeProcess[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(processes.map((node) => node.stop()));
  };
  try {
    const first = new NodeProcess(execArgv);
    processes.push(first);
    const firstDir = join(dir, "node0");
    const { apiUrl, serviceCertificate } = await first.ask({ do: "start", dataDir: firstDir, curve });
    if (apiUrl === undefined || serviceCertificate === undefined) throw new Error("the first node has a service");
    const agent = new Agent({ ca: serviceCertificate, keepAlive: true, maxSockets: 1 });
    const memberKey = await readFile(join(firstDir, "member0.private.pem"), "utf8");
    for (let index = 1; index < nodes; index++) {
      const node = new NodeProcess(execArgv);
      processes.push(node);
      const joining = { url: apiUrl, serviceCertificate };
      const { nodeId } = await node.ask({ do: "start", dataDir: join(dir, `node${index}`), curve, join: joining });
      const ballot = trustBallot(memberKey, serviceCertificate, NodeId.parse(nodeId));
      await untilAccepted(() => call(agent, `${apiUrl}/governance/ballots`, "POST", ballot));
      await node.ask({ do: "ready" });
    }
    agent.destroy();
    return {
      client: async (inFlight) => httpsClient(apiUrl, serviceCertificate, inFlight),
      usage: async () => sum(await Promise.all(processes.map((node) => node.ask({ do: "usage" })))),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export class NodeProcess {
  readonly #child: ChildProcess;

  constructor(execArgv: readonly string[] = []) {
    this.#child = fork(new URL("node-process.js", import.meta.url), { execArgv: [...execArgv] });
  }

  async ask(command: NodeCommand): Promise<NodeAnswer> {
    this.#child.send(command);
    const [answer]: NodeAnswer[] = await once(this.#child, "message");
    if (answer === undefined || answer.error !== undefined) throw new Error(`a node failed: ${answer?.error}`);
    return answer;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.send({ do: "stop" } satisfies NodeCommand);
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS_MAX);
    await exited;
    clearTimeout(timer);
  }
}

export function httpsClient(apiUrl: string, ca: string, inFlight: number): Client {
  const agent = new Agent({ ca, keepAlive: true, maxSockets: inFlight, scheduling: "fifo" });
  return {
    put: (key, value) => call(agent, `${apiUrl}/records/${key}`, "PUT", JSON.stringify({ value })),
    close: () => agent.destroy(),
  };
}

/** @throws {Error} for any answer but 2xx. */
export function call(agent: Agent, url: string, method: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const outgoing = request(url, { agent, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => {
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) resolve();
        else reject(new Error(`${method} ${url}: ${statusCode} ${text}`));
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** The node's request to join may still be on its way. */
export async function untilAccepted(attempt: () => Promise<void>): Promise<void> {
  for (let left = 50; ; left--) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

export function trustBallot(memberKey: string, serviceCertificate: string, nodeId: NodeId): string {
  const { privateKey, publicKey } = suite.importPrivateKey(pemDecode("PRIVATE KEY", memberKey));
  const service = parseCertificate(suite, pemDecode("CERTIFICATE", serviceCertificate));
  const action: GovernanceAction = { type: "trust-node", nodeId };
  const signature = suite.sign(privateKey, ballotBytes(spkiHash(suite, service.publicKey.spki), action));
  return JSON.stringify({ action, memberId: spkiHash(suite, publicKey.spki), signature: base64(signature) });
}

function sum(answers: readonly NodeAnswer[]): Usage {
  let [cpuUs, syncs] = [0, 0];
  for (const answer of answers) {
    cpuUs += answer.cpuUs ?? 0;
    syncs += answer.syncs ?? 0;
  }
  return { cpuUs, syncs };
}
