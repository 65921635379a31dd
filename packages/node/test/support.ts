/** Real nodes on loopback for tests: started in temporary directories, watched through their events, stopped at the end of each test. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSelfSigned, type KeyPair, parseCertificate, pemDecode, pemEncode, spkiHash } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { ballotBytes, base64, type GovernanceAction, type NodeId, seqno } from "@sealane/wire";
import { Agent, fetch } from "undici";
import { expect, onTestFinished } from "vitest";
import { type NodeEvent, type NodeOptions, type RunningNode, startNode } from "../src/index.js";

/** Short enough that a test that waits for an election ends soon, long enough for a busy machine. */
const TIMING = { electionTimeoutMs: 2_000, heartbeatMs: 50, commitTimeoutMs: 3_000 };

export async function temporaryDir(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "sealane-node-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A node with a record of what it did. */
export class WatchedNode {
  readonly node: RunningNode;
  readonly dir: string;
  readonly #events: Events;

  private constructor(node: RunningNode, dir: string, events: Events) {
    this.node = node;
    this.dir = dir;
    this.#events = events;
  }

  static async start(options: Partial<NodeOptions> & Pick<NodeOptions, "service">): Promise<WatchedNode> {
    const dataDir = options.dataDir ?? (await temporaryDir());
    const events = new Events();
    const node = await startNode({ ...TIMING, ...options, dataDir, observer: (event) => events.add(event) });
    node.closed.catch(() => {});
    onTestFinished(() => node.stop());
    return new WatchedNode(node, dataDir, events);
  }

  get events(): readonly NodeEvent[] {
    return this.#events.all;
  }

  /** Waits until something holds, looking again whenever this node does anything. */
  until(holds: () => boolean): Promise<void> {
    return this.#events.until(holds);
  }
}

class Events {
  readonly all: NodeEvent[] = [];
  #waiting: { holds: () => boolean; resolve: () => void }[] = [];

  add(event: NodeEvent): void {
    this.all.push(event);
    // The event comes out in the middle of a turn: look at the state once that is over.
    setImmediate(() => {
      this.#waiting = this.#waiting.filter(({ holds, resolve }) => {
        if (!holds()) return true;
        resolve();
        return false;
      });
    });
  }

  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ holds, resolve }));
  }
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** Calls a node's API, trusting its service certificate only. */
export async function call(node: RunningNode, method: string, path: string, body?: unknown): Promise<Reply> {
  const dispatcher = new Agent({ connect: { ca: node.serviceCertificate ?? "" } });
  try {
    const init = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const response = await fetch(node.apiUrl + path, { method, ...init, dispatcher });
    return { status: response.status, body: await response.json() };
  } finally {
    await dispatcher.close();
  }
}

/** The same for what is not JSON. */
export async function callBytes(node: RunningNode, path: string) {
  const dispatcher = new Agent({ connect: { ca: node.serviceCertificate ?? "" } });
  try {
    const response = await fetch(node.apiUrl + path, { dispatcher });
    const body = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, type: response.headers.get("content-type"), body };
  } finally {
    await dispatcher.close();
  }
}

/** Sends a body piece by piece, each when the one before it has gone out, whatever the node has answered by then. */
export function upload(
  node: RunningNode,
  path: string,
  bytes: number,
  form: "announced" | "in chunks",
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = form === "announced" ? { "content-length": bytes } : {};
    const outgoing = request(node.apiUrl + path, { method: "PUT", ca: node.serviceCertificate, headers });
    outgoing.on("error", reject);
    outgoing.on("response", (response) => {
      let text = "";
      response.on("data", (chunk: Uint8Array) => {
        text += Buffer.from(chunk).toString();
      });
      response.on("end", () => {
        outgoing.destroy();
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) });
      });
    });
    const send = (left: number): void => {
      const piece = new Uint8Array(Math.min(left, 65_536)).fill(97);
      if (piece.length === 0) outgoing.end();
      else outgoing.write(piece, () => send(left - piece.length));
    };
    send(bytes);
  });
}

/** Asks to join with a node's key, whoever holds it. */
export async function joinAs({ node }: WatchedNode, keyPair: KeyPair): Promise<Reply> {
  const times = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 60_000) };
  const certificate = createSelfSigned(suite, keyPair, { name: "joiner", hosts: [], ...times });
  const tls = {
    ca: node.serviceCertificate ?? "",
    cert: pemEncode("CERTIFICATE", certificate),
    key: pemEncode("PRIVATE KEY", suite.exportPrivateKey(keyPair.privateKey)),
  };
  const dispatcher = new Agent({ connect: tls });
  const body = { publicKey: base64(keyPair.publicKey.spki), nodeAddress: "127.0.0.1:1", apiAddress: "127.0.0.1:2" };
  try {
    const response = await fetch(`${node.apiUrl}/node/join`, {
      method: "POST",
      body: JSON.stringify(body),
      dispatcher,
    });
    return { status: response.status, body: await response.json() };
  } finally {
    await dispatcher.close();
  }
}

/** Casts the ballot of the first node's generated member, again as long as the answer says that it may succeed later. */
export function trust(first: WatchedNode, nodeId: NodeId): Promise<Reply> {
  return cast(first, first, { type: "trust-node", nodeId });
}

/** Has a node removed, by a ballot cast at `via`. */
export function remove(first: WatchedNode, nodeId: NodeId, via: WatchedNode = first): Promise<Reply> {
  return cast(first, via, { type: "remove-node", nodeId });
}

export async function cast(first: WatchedNode, via: WatchedNode, action: GovernanceAction): Promise<Reply> {
  const body = await signed(first, action);
  for (;;) {
    const reply = await call(via.node, "POST", "/governance/ballots", body);
    if (reply.status !== 503) return reply;
  }
}

export function ballot(first: WatchedNode, nodeId: NodeId, serviceOf: WatchedNode = first): Promise<object> {
  return signed(first, { type: "trust-node", nodeId }, serviceOf);
}

/** Replaces the service's ledger secret, trying again as long as the answer says that it may succeed later. */
export function rotate(first: WatchedNode, current: number): Promise<Reply> {
  return cast(first, first, { type: "rotate-ledger-secret", current: seqno(current) });
}

async function signed(first: WatchedNode, action: GovernanceAction, serviceOf: WatchedNode = first): Promise<object> {
  const pem = await readFile(join(first.dir, "member0.private.pem"), "utf8");
  const { privateKey, publicKey } = suite.importPrivateKey(pemDecode("PRIVATE KEY", pem));
  const service = parseCertificate(suite, pemDecode("CERTIFICATE", serviceOf.node.serviceCertificate ?? ""));
  const signed = ballotBytes(spkiHash(suite, service.publicKey.spki), action);
  return { action, memberId: spkiHash(suite, publicKey.spki), signature: base64(suite.sign(privateKey, signed)) };
}

export function found(): Promise<WatchedNode> {
  return WatchedNode.start({ service: { type: "new" } });
}

/** Starts a joiner and waits until the service has recorded that it waits. */
export async function joinPending(first: WatchedNode, options: Partial<NodeOptions> = {}): Promise<WatchedNode> {
  const joiner = await WatchedNode.start({
    ...options,
    service: { type: "join", url: first.node.apiUrl, serviceCertificate: first.node.serviceCertificate ?? "" },
  });
  await first.until(() => first.node.state().nodes.some(({ id }) => id === joiner.node.nodeId));
  return joiner;
}

export async function joined(first: WatchedNode, options: Partial<NodeOptions> = {}): Promise<WatchedNode> {
  const joiner = await joinPending(first, options);
  await trust(first, joiner.node.nodeId);
  await joiner.node.ready;
  return joiner;
}

export async function pair(): Promise<{ primary: WatchedNode; backup: WatchedNode }> {
  const primary = await found();
  return { primary, backup: await joined(primary) };
}

export function refused(code: string): unknown {
  return expect.objectContaining({ name: "NodeError", code });
}
