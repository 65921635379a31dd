/** A node as its process holds it: from listening, through waiting to be trusted, to taking part, to the end. */
import { pemEncode } from "@sealane/crypto";
import { type FileLedger, openLedger } from "@sealane/ledger/files";
import { type Frame, TransportError } from "@sealane/transport";
import { type TcpTransport, tcp } from "@sealane/transport/tcp";
import { formatAddress, type NetworkNode, type NodeId, type NodeState, seqno, utf8 } from "@sealane/wire";
import type { Answer } from "../core/answer.js";
import { RequestError } from "../core/errors.js";
import type { HardState } from "../core/log-state.js";
import { type FrameVerdict, NodeCore } from "../core/node-core.js";
import type { Start } from "../core/types.js";
import { announceAddresses } from "./announce-addresses.js";
import { type ApiRequest, ApiServer, refusal } from "./api-server.js";
import { askNetwork } from "./ask-network.js";
import { nowMs } from "./clock.js";
import { Deferred } from "./deferred.js";
import { asNodeError, listenError, NodeError, retiredError } from "./errors.js";
import { Joining } from "./joining.js";
import { type Membership, type NodeKeys, privateFile, recoverService, tlsIdentity } from "./membership.js";
import { NodeHost } from "./node-host.js";
import { NodeRecord } from "./node-record.js";
import { hostOf, type NodeSetup, type WayIn } from "./node-setup.js";
import { pendingState } from "./pending-state.js";
import { NOTHING_YET, type ReadBack, readBack } from "./read-back.js";
import { asksForSnapshot, type FileAnswer } from "./snapshot-endpoint.js";
import { SnapshotStore } from "./snapshot-store.js";
import { Storage } from "./storage.js";

/** Requests under way may take this long to finish when a node stops, in ms. */
const STOP_GRACE_MS = 1_000;

export class RunningNode {
  /** @internal Its `node.json`. */
  readonly record: NodeRecord;
  /** Where other nodes find it: `host:port`. */
  readonly nodeAddress: string;
  /** Where clients find it: `host:port`. */
  readonly apiAddress: string;
  readonly #setup: NodeSetup;
  readonly #transport: TcpTransport;
  readonly #api: ApiServer;
  readonly #joining: Joining;
  readonly #startedMs = nowMs();
  readonly #stopping = new AbortController();
  readonly #takingPart = new AbortController();
  readonly #ready = new Deferred<void>();
  readonly #closed = new Deferred<void>();
  readonly #retired = new Deferred<void>();
  #host: NodeHost | undefined;
  #membership: Membership | undefined;
  /** Noted in the directory: the service has removed this node. */
  #noting: Promise<void> | undefined;
  #serviceCertificate: string | undefined;
  #stop: Promise<void> | undefined;

  private constructor(setup: NodeSetup, transport: TcpTransport, api: ApiServer) {
    this.#setup = setup;
    this.#transport = transport;
    this.#api = api;
    const node = { host: setup.node.host, port: transport.address.port };
    const listening = { host: setup.api.host, port: api.port };
    this.nodeAddress = setup.node.published ?? formatAddress(node);
    this.apiAddress = setup.api.published ?? formatAddress(listening);
    const { nodeId, nodeAddress, apiAddress } = this;
    this.record = new NodeRecord(setup.dataDir, { nodeId, nodeAddress, apiAddress, node, api: listening });
    this.#joining = new Joining(setup, this.record, this.#stopping.signal);
    const stop = (): void => void this.stop();
    setup.signal?.addEventListener("abort", stop, { once: true });
    this.#stopping.signal.addEventListener("abort", () => setup.signal?.removeEventListener("abort", stop));
  }

  /** Takes the ports. @throws NodeError `address-in-use`, `bad-address`, `aborted`. */
  static async listen(setup: NodeSetup): Promise<RunningNode> {
    if (setup.signal?.aborted) throw new NodeError("aborted", "The node was stopped before it listened.");
    let node: RunningNode | undefined;
    const { suite, keys } = setup;
    const transport = await tcp({
      self: keys.id,
      listen: setup.node,
      onFrame: (frame) => node?.handleFrame(frame) ?? "unproven",
    }).catch((cause: unknown) => {
      throw cause instanceof TransportError ? listenError(cause) : cause;
    });
    try {
      const identity = tlsIdentity(suite, keys, undefined, hostOf(setup.api), nowMs());
      const api = await ApiServer.listen(setup.api, identity, (request, gone) => answer(node, request, gone));
      node = new RunningNode(setup, transport, api);
      return node;
    } catch (cause) {
      await transport.close();
      throw cause;
    }
  }

  get keys(): NodeKeys {
    return this.#setup.keys;
  }

  get nodeId(): NodeId {
    return this.#setup.keys.id;
  }

  get apiUrl(): string {
    return `https://${this.apiAddress}`;
  }

  /** PEM: what clients and joiners pin. */
  get serviceCertificate(): string | undefined {
    return this.#serviceCertificate;
  }

  /** Settles when the node takes part in its service; rejects when it ends before that. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /**
   * Settles when the service has removed this node and needs it no more. It then answers questions about itself alone, until it is stopped;
   * it cannot be started again. Rejects when the node ends before that.
   */
  get retired(): Promise<void> {
    return this.#retired.promise;
  }

  /** Settles when the node has stopped; rejects with the `NodeError` that stopped it. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  state(): NodeState {
    if (this.#stop !== undefined && this.#host !== undefined) return { ...this.#host.state, phase: "stopping" };
    return this.#host?.state ?? pendingState(this.nodeId, nowMs() - this.#startedMs);
  }

  /** Asks to join in the background, and takes part once trusted. */
  join(serviceCertificate: string, way: WayIn): void {
    this.#serviceCertificate = serviceCertificate;
    this.#join(serviceCertificate, way).catch((cause: unknown) => this.#fail(asNodeError(cause)));
  }

  async #join(serviceCertificate: string, { joinUrl, fromBeginning }: WayIn): Promise<void> {
    const snapshots = fromBeginning ? undefined : await SnapshotStore.open(this.#setup.dataDir.snapshotsPath);
    const membership = await this.#joining.enter(serviceCertificate, joinUrl, { snapshots });
    if (this.#stopping.signal.aborted) return;
    // With a snapshot it comes up as a node that comes back does.
    if ((await snapshots?.newestName()) === undefined) {
      await this.activate(membership, { type: "join", nodes: membership.nodes });
    } else await this.resume(membership);
  }

  /**
   * No node that was asked can send what comes behind this node's last entry, and it has never taken part: it begins again, from a newer
   * snapshot (consensus spec §12.2). That one is durable before anything is removed.
   */
  async #startOver(serviceCertificate: string, url: string): Promise<void> {
    const { lastSeqno } = this.state();
    const { dataDir } = this.#setup;
    const host = this.#host;
    this.#host = undefined;
    await host?.stop();
    const snapshots = await SnapshotStore.open(dataDir.snapshotsPath);
    const membership = await this.#joining.enter(serviceCertificate, url, { snapshots, since: seqno(lastSeqno + 1) });
    await dataDir.clearLedger();
    if (!this.#stopping.signal.aborted) await this.resume(membership);
  }

  /** Asks once more if the service should have forgotten this node before it took part. */
  #askAgain(serviceCertificate: string, nodes: readonly NetworkNode[]): void {
    const signal = AbortSignal.any([this.#stopping.signal, this.#takingPart.signal]);
    const asking = { nodes, lastSeqno: () => this.state().lastSeqno, signal };
    this.#joining
      .askAgain(serviceCertificate, asking)
      .then((tooFar) => (tooFar === undefined ? undefined : this.#startOver(serviceCertificate, tooFar)))
      .catch((cause: unknown) => this.#fail(asNodeError(cause)));
  }

  /**
   * Goes on alone with what the directory holds, as a service with a new identity.
   * @throws NodeError as `resume`; `fault` also when the directory holds nothing signed.
   */
  async recover(before: Membership): Promise<void> {
    const { suite, dataDir, keys, api } = this.#setup;
    const { replay, ...storage } = await this.#readBack(before);
    const membership = recoverService(suite, keys, before, hostOf(api), nowMs());
    await dataDir.writePrivate(privateFile(suite, keys, membership));
    await this.record.noteMember(membership, () => "recovering");
    this.#run(membership, { type: "recover", replay }, storage, replay.hardState);
    await this.ready;
    await this.#note(membership);
  }

  #readBack(membership: Membership): Promise<ReadBack> {
    const { suite, dataDir, keys } = this.#setup;
    return readBack(dataDir, { suite, keys, membership });
  }

  /** Tells the service where this node is now, if it has another address on record. */
  #announce(certificate: Uint8Array): void {
    const { nodeId: id, nodeAddress, apiAddress } = this;
    const host = this.#host;
    const recorded = host?.state.nodes.find((node) => node.id === id);
    if (host === undefined || recorded === undefined) return;
    if (recorded.nodeAddress === nodeAddress && recorded.apiAddress === apiAddress) return;
    announceAddresses({
      addresses: { nodeAddress, apiAddress },
      certificate,
      ask: (request) => host.handleRequest(request),
      signal: this.#stopping.signal,
    }).catch((cause: unknown) => this.#fail(asNodeError(cause)));
  }

  /** The service has endorsed this node anew: clients that connect from now on see it. */
  #renew(certificate: Uint8Array): void {
    const { suite, keys, api } = this.#setup;
    if (this.#membership === undefined) return;
    this.#membership = { ...this.#membership, certificate };
    this.#api.setIdentity(tlsIdentity(suite, keys, certificate, hostOf(api), nowMs()));
    this.#note(this.#membership).catch((cause: unknown) => this.#fail(asNodeError(cause)));
  }

  /** Takes part from now on, with an empty ledger. */
  async activate(membership: Membership, start: Exclude<Start, { type: "resume" }>): Promise<void> {
    const { dataDir } = this.#setup;
    const { storage } = await openLedger(dataDir.ledgerPath);
    const snapshots = await SnapshotStore.open(dataDir.snapshotsPath);
    this.#run(membership, start, { ledger: storage, snapshots }, NOTHING_YET);
  }

  /** Comes back with what the directory holds. @throws NodeError `fault` when its ledger does not verify, `data-dir-damaged`, `retired`. */
  async resume(membership: Membership): Promise<void> {
    const { replay, ...storage } = await this.#readBack(membership);
    this.#run(membership, { type: "resume", replay, nodes: membership.nodes }, storage, replay.hardState);
    if (this.state().phase === "retired") throw retiredError(this.nodeId);
    await this.#note(membership);
    this.#announce(membership.certificate);
  }

  #run(
    membership: Membership,
    start: Start,
    { ledger, snapshots }: { readonly ledger: FileLedger; readonly snapshots: SnapshotStore },
    hardState: HardState,
  ): void {
    const { suite, keys, app, timing, signing, voting, snapshotEvery, observer, dataDir, api } = this.#setup;
    const { id, keyPair, encryption } = keys;
    const { nodeAddress, apiAddress } = this;
    const observe = observer !== undefined;
    const own = { suite, app, id, keyPair, encryption, nodeAddress, apiAddress };
    const core = new NodeCore(
      { ...own, ...membership, ...voting, start, timing, signing, snapshotEvery, observe },
      nowMs(),
    );
    this.#api.setIdentity(tlsIdentity(suite, keys, membership.certificate, hostOf(api), nowMs()));
    this.#serviceCertificate = pemEncode("CERTIFICATE", membership.service.certificate);
    const onReady = (): void => {
      this.#ready.resolve();
      this.#takingPart.abort();
    };
    const ask = (address: string) => askNetwork(address, this.#serviceCertificate ?? "", this.#stopping.signal);
    this.#membership = membership;
    const onRetired = (): void => void this.#noteRetired();
    const onFailed = (error: NodeError): void => this.#fail(error);
    this.#host = new NodeHost(
      {
        ...{ core, transport: this.#transport, ledger, snapshots, observer, askNetwork: ask },
        ...{ onReady, onRetired, onFailed, onCertificate: (certificate) => this.#renew(certificate) },
      },
      (handlers) => new Storage(ledger, dataDir, hardState, nowMs, handlers),
    );
    this.#askAgain(this.#serviceCertificate, membership.nodes);
  }

  /** Stops in order: no new requests, what was decided is made durable, links are closed. Idempotent. */
  stop(): Promise<void> {
    this.#stop ??= this.#end(undefined);
    return this.#stop;
  }

  #fail(error: NodeError): void {
    this.#stop ??= this.#end(error);
  }

  /** What the ledger says may not be known as committed after a crash; the directory says it for good. */
  #noteRetired(): Promise<void> {
    if (this.#membership === undefined) return Promise.resolve();
    this.#noting ??= this.#note(this.#membership).then(
      () => this.#retired.resolve(),
      (cause: unknown) => this.#fail(asNodeError(cause)),
    );
    return this.#noting;
  }

  #note(membership: Membership): Promise<void> {
    return this.record.noteMember(membership, () => (this.#host?.state.phase === "retired" ? "retired" : "member"));
  }

  async #end(error: NodeError | undefined): Promise<void> {
    this.#stopping.abort();
    if (this.#host?.state.phase === "retired") await this.#noteRetired();
    for (const awaited of [this.#ready, this.#retired]) {
      awaited.reject(error ?? new NodeError("aborted", "The node was stopped."));
    }
    const results = await Promise.allSettled([
      this.#host?.stop(),
      this.#api.close(STOP_GRACE_MS),
      this.#transport.close(),
    ]);
    await this.record.settled;
    await this.#setup.dataDir.release();
    const failed = results.find((result) => result.status === "rejected");
    const why = error ?? (failed === undefined ? undefined : asNodeError(failed.reason));
    if (why === undefined) this.#closed.resolve();
    else this.#closed.reject(why);
  }

  /** @internal What the transport hands on. */
  handleFrame({ from, type, payload }: Frame): FrameVerdict {
    return this.#host?.handleFrame(from, type, payload) ?? "unproven";
  }

  /** @internal What the API server hands on. */
  handleRequest(request: ApiRequest, gone?: AbortSignal): Promise<Answer | FileAnswer> {
    if (this.#host !== undefined) {
      return asksForSnapshot(request.path)
        ? this.#host.handleSnapshotRequest(request)
        : this.#host.handleRequest(request, gone);
    }
    if (request.path === "/node/state" && request.method === "GET") {
      return Promise.resolve({ status: 200, body: utf8(JSON.stringify(this.state())) });
    }
    return Promise.resolve(notTrusted());
  }
}

function answer(
  node: RunningNode | undefined,
  request: ApiRequest,
  gone: AbortSignal | undefined,
): Promise<Answer | FileAnswer> {
  return node?.handleRequest(request, gone) ?? Promise.resolve(notTrusted());
}

function notTrusted(): Answer {
  return refusal(new RequestError("not-trusted", "This node is not part of a service yet: it waits to be trusted."));
}
