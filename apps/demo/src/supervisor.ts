/**
 * Starts, trusts, stops, kills and restarts the node processes of one cluster on this machine, and stands between them with one
 * proxy in front of each. The supervisor holds no node's keys; it reads the demo member's key to sign ballots, and it sees the
 * nodes only as any client does and by what they report over IPC.
 */
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Client, createClient } from "@sealane/client";
import { holdsNode } from "@sealane/node";
import { Agent, fetch } from "undici";
import { chooseAddresses, type NodePorts, readAddresses } from "./addresses.js";
import type { Capture } from "./capture.js";
import { DemoError } from "./errors.js";
import type { ChannelView, ClusterView, LinkView, NodeView } from "./feed.js";
import { LinkProxy, type LinkProxyOptions } from "./link-proxy.js";
import { ManagedNode } from "./managed-node.js";
import type { NodeSettings, ObservedEvent } from "./node-messages.js";
import { LOOPBACK } from "./ports.js";
import { trustBallot } from "./trust.js";
import { until } from "./until.js";

/** Slow machines exist; a person gives up about then. */
const BRING_UP_TIMEOUT_MS = 30_000;
/** One request at a time on each; the headless script keeps this many writes in flight through one node. */
export const CONNECTIONS_PER_NODE = 64;

export interface ClusterOptions {
  readonly nodes: number;
  readonly dataDir: string;
  /** Remove `dataDir` when the cluster closes. */
  readonly temporary: boolean;
  readonly basePort?: number | undefined;
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly commitTimeoutMs: number;
  readonly capture?: Capture;
  readonly mutate?: LinkProxyOptions["mutate"];
}

export const DEFAULT_TIMES = { electionTimeoutMs: 2_000, heartbeatMs: 100, commitTimeoutMs: 3_000 } as const;

export interface ClusterListener {
  /** The view is worth reading again. Called often. */
  changed(): void;
  observed(node: number, events: readonly ObservedEvent[], dropped: number): void;
}

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #ports: readonly NodePorts[];
  readonly #nodes: readonly ManagedNode[];
  readonly #proxies: readonly LinkProxy[];
  readonly #listeners = new Set<ClusterListener>();
  readonly #cut = new Set<string>();
  readonly #abort = new AbortController();
  #serviceCertificate: string | undefined;
  #agent: Agent | undefined;

  private constructor(options: ClusterOptions, ports: readonly NodePorts[], proxies: readonly LinkProxy[]) {
    this.#options = options;
    this.#ports = ports;
    this.#proxies = proxies;
    this.#nodes = ports.map(
      (_, index) =>
        new ManagedNode(index, {
          changed: () => {
            for (const listener of this.#listeners) listener.changed();
          },
          observed: (events, dropped) => {
            for (const listener of this.#listeners) listener.observed(index, events, dropped);
          },
        }),
    );
  }

  /**
   * Prepares directories, ports and proxies; starts no node yet.
   * @throws {DemoError} when the data directory cannot be used or holds a cluster of another size, or a remembered port is taken.
   */
  static async open(options: ClusterOptions): Promise<Cluster> {
    const remembered = await readAddresses(options.dataDir);
    if (remembered !== undefined && remembered.length !== options.nodes) {
      throw new DemoError(
        `${options.dataDir} holds a cluster of ${remembered.length} nodes: start it with --nodes ${remembered.length}`,
      );
    }
    const ports = remembered ?? (await chooseAddresses(options.dataDir, options.nodes, options.basePort));
    const proxies: LinkProxy[] = [];
    // The proxies ask the cluster, which is made after them.
    let cluster: Cluster | undefined;
    try {
      for (const [index, { node, published }] of ports.entries()) {
        const proxy = await LinkProxy.open({
          listener: index,
          port: published,
          targetPort: node,
          admits: (dialler) => cluster?.admits(dialler, index) ?? false,
          ...(options.capture === undefined ? {} : { capture: options.capture }),
          ...(options.mutate === undefined ? {} : { mutate: options.mutate }),
        });
        proxies.push(proxy);
      }
      await Promise.all(ports.map((_, index) => mkdir(nodeDir(options.dataDir, index), { recursive: true })));
    } catch (error) {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      throw error;
    }
    cluster = new Cluster(options, ports, proxies);
    return cluster;
  }

  get size(): number {
    return this.#nodes.length;
  }

  /** Aborts when the cluster closes. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** PEM; undefined until the first node runs. */
  get serviceCertificate(): string | undefined {
    return this.#serviceCertificate;
  }

  subscribe(listener: ClusterListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Brings every node up and waits until all channels stand. Nodes that have lived in this data directory come back as they were. */
  async bringUp(): Promise<void> {
    const lived = await Promise.all(this.#nodes.map((_, index) => holdsNode(this.dataDir(index))));
    if (lived[0] === true) {
      // All went down together, so they must come up together: one alone has no quorum.
      await Promise.all(lived.map((held, index) => (held ? this.restart(index) : undefined)));
      await this.#isActive(0);
    } else {
      await this.startFirst();
    }
    for (let index = 1; index < this.size; index++) {
      if (lived[index] === true) await this.#isTrusted(index);
      else await this.join(index);
    }
    await this.channelsEstablished();
  }

  /** Starts node 0 as the first of a new service. */
  async startFirst(): Promise<void> {
    await this.node(0).start(this.#settings(0, { type: "new" }));
    await this.#readService(0);
    await this.#isActive(0);
  }

  /** Starts a node that asks to join over TLS, and trusts it by a signed ballot. */
  async join(index: number): Promise<void> {
    const serviceCertificate = this.#serviceCertificate;
    if (serviceCertificate === undefined) throw new DemoError("there is no service to join yet");
    await this.node(index).start(this.#settings(index, { type: "join", url: this.apiUrl(0), serviceCertificate }));
    await this.#isTrusted(index);
  }

  /** Waits until every pair of running nodes has keys in both directions, links that are cut aside. */
  async channelsEstablished(timeoutMs = BRING_UP_TIMEOUT_MS): Promise<void> {
    await until("all channels are established", () => (this.#allEstablished() ? true : undefined), {
      timeoutMs,
      signal: this.signal,
    });
  }

  async stop(index: number): Promise<void> {
    await this.node(index).stop();
  }

  async kill(index: number): Promise<void> {
    await this.node(index).kill();
  }

  /** Starts a stopped node again, as the same node, from its data directory. */
  async restart(index: number): Promise<void> {
    await this.node(index).start(this.#settings(index, { type: "resume" }));
    if (this.#serviceCertificate === undefined) await this.#readService(index);
  }

  /** Cuts or heals the link between two nodes, both directions. */
  setLink(a: number, b: number, cut: boolean): void {
    if (a === b || a >= this.size || b >= this.size) throw new DemoError(`there is no link between ${a} and ${b}`);
    const link = linkName(a, b);
    if (cut) this.#cut.add(link);
    else this.#cut.delete(link);
    if (cut) {
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        const dialler = this.node(from).nodeId;
        if (dialler !== undefined) this.#proxies[to]?.drop(dialler);
      }
    }
    for (const listener of this.#listeners) listener.changed();
  }

  /** A client of exactly this node: it never goes to another one. */
  client(index: number, timeoutMs?: number): Client {
    if (this.#agent === undefined) throw new DemoError("no node has been started yet");
    const dispatcher = this.#agent;
    return createClient({
      urls: [this.apiUrl(index)],
      fetch: (url, init) => fetch(url, { ...init, dispatcher }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  }

  apiUrl(index: number): string {
    return `https://${LOOPBACK}:${this.#ports[index]?.api}`;
  }

  dataDir(index: number): string {
    return nodeDir(this.#options.dataDir, index);
  }

  node(index: number): ManagedNode {
    const node = this.#nodes[index];
    if (node === undefined) throw new DemoError(`there is no node ${index}`);
    return node;
  }

  /** The index of the node with this id, or undefined for an id never seen. */
  indexOf(nodeId: string): number | undefined {
    const index = this.#nodes.findIndex((node) => node.nodeId === nodeId);
    return index < 0 ? undefined : index;
  }

  view(): ClusterView {
    return { nodes: this.#nodes.map((node) => this.#nodeView(node)), links: this.#links() };
  }

  /** Whether the proxy in front of `listener` lets this dialler pass. A node never seen before may: it names itself with its first state. */
  admits(dialler: string, listener: number): boolean {
    const from = this.indexOf(dialler);
    return from === undefined || !this.#cut.has(linkName(from, listener));
  }

  /** Stops all nodes, closes the proxies, removes a temporary data directory. No process is left. */
  async close(): Promise<void> {
    this.#abort.abort(new DemoError("the demo is ending"));
    await Promise.all(this.#nodes.map((node) => node.stop()));
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
    await this.#agent?.destroy();
    if (this.#options.temporary) await rm(this.#options.dataDir, { recursive: true, force: true });
  }

  /** For the last moment of this process: kills what is still running. */
  killAllNow(): void {
    for (const node of this.#nodes) node.killNow();
  }

  #settings(index: number, service: NodeSettings["service"]): NodeSettings {
    const ports = this.#ports[index];
    const published = this.#proxies[index]?.address;
    if (ports === undefined || published === undefined) throw new DemoError(`there is no node ${index}`);
    const { electionTimeoutMs, heartbeatMs, commitTimeoutMs } = this.#options;
    const dataDir = nodeDir(this.#options.dataDir, index);
    return {
      dataDir,
      service,
      nodePort: ports.node,
      published,
      apiPort: ports.api,
      electionTimeoutMs,
      heartbeatMs,
      commitTimeoutMs,
    };
  }

  async #readService(index: number): Promise<void> {
    this.#serviceCertificate = await readFile(join(this.dataDir(index), "service.pem"), "utf8");
    this.#agent = new Agent({ connect: { ca: this.#serviceCertificate }, connections: CONNECTIONS_PER_NODE });
  }

  async #isActive(index: number): Promise<void> {
    const check = () => this.#activity(index) === "active" || undefined;
    await until(`node ${index} is active`, check, { timeoutMs: BRING_UP_TIMEOUT_MS, signal: this.signal });
  }

  /** Waits until a node is active, and casts the member's ballot for it should it ask. */
  async #isTrusted(index: number): Promise<void> {
    let asked = false;
    const check = async () => {
      if (this.#activity(index) === "active") return true;
      const { nodeId } = this.node(index);
      const { nodes } = await this.client(0).network();
      const pending = nodes.find(({ id, status }) => id === nodeId && status === "pending");
      if (pending === undefined || asked || this.#serviceCertificate === undefined) return undefined;
      asked = true;
      await this.client(0).ballot(await trustBallot(this.dataDir(0), this.#serviceCertificate, pending.id));
      return undefined;
    };
    await until(`node ${index} is trusted and active`, check, { timeoutMs: BRING_UP_TIMEOUT_MS, signal: this.signal });
  }

  /** @throws {DemoError} when the process has ended. */
  #activity(index: number): string | undefined {
    const node = this.node(index);
    if (node.process === "down") throw new DemoError(`node ${index} ended: ${node.fault ?? "it was stopped"}`);
    return node.state?.phase;
  }

  #allEstablished(): boolean {
    return this.#links().every(({ a, b, cut }) => cut || (this.#established(a, b) && this.#established(b, a)));
  }

  #established(from: number, to: number): boolean {
    const peer = this.node(to).nodeId;
    return (
      this.node(from).state?.channels.some((channel) => channel.peer === peer && channel.state === "ESTABLISHED") ===
      true
    );
  }

  #links(): LinkView[] {
    const links: LinkView[] = [];
    for (let a = 0; a < this.size; a++) {
      for (let b = a + 1; b < this.size; b++) links.push({ a, b, cut: this.#cut.has(linkName(a, b)) });
    }
    return links;
  }

  #nodeView(node: ManagedNode): NodeView {
    const { state, index } = node;
    const channels: ChannelView[] = [];
    for (const {
      peer,
      state: channelState,
      open,
      keyAgeMs,
      sent,
      received,
      recordsLeft,
      lastError,
      exchanges,
    } of state?.channels ?? []) {
      const to = this.indexOf(peer);
      if (to === undefined) continue;
      channels.push({ to, state: channelState, open, keyAgeMs, sent, received, recordsLeft, lastError, exchanges });
    }
    return {
      index,
      process: node.process,
      pid: node.pid ?? null,
      id: node.nodeId ?? null,
      phase: state?.phase ?? "unknown",
      role: state?.role ?? "none",
      view: state?.view ?? 0,
      lastSeqno: state?.lastSeqno ?? 0,
      committed: state?.committed ?? "0.0",
      channels,
      apiUrl: this.apiUrl(index),
      nodeAddress: `${LOOPBACK}:${this.#ports[index]?.node}`,
      publishedAddress: this.#proxies[index]?.address ?? "",
      dataDir: this.dataDir(index),
      fault: node.fault ?? null,
    };
  }
}

function nodeDir(dataDir: string, index: number): string {
  return join(dataDir, `node${index}`);
}

function linkName(a: number, b: number): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`;
}
