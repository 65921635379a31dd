import { nativeSuite as suite } from "@sealane/crypto/native";
import {
  decodeForwardedHeader,
  decodeForwardedRequest,
  decodeForwardedResponse,
  encodeForwardedRequest,
  FRAME_FORWARDED,
  parseJson,
  parseNodeId,
  parseNodeState,
  seqno,
  utf8,
  view,
} from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { ClientRequests } from "./client-requests.js";
import { endorseNode, newServiceKeys, nodeIdOf } from "./identity.js";
import { ownGenesis } from "./own-genesis.js";
import { Peers } from "./peers.js";
import { recordsApp } from "./records-app.js";
import { ReplicatedLog } from "./replicated-log.js";
import { SIGNING_DEFAULTS } from "./signing-policy.js";
import { StoredEntries } from "./stored-entries.js";
import type { CoreConfig, Start } from "./types.js";

const peer = parseNodeId("ab".repeat(32));
const keyPair = suite.generateKeyPair("P-256");
const service = newServiceKeys(suite, 0);
const id = nodeIdOf(suite, keyPair.publicKey);
const TIMEOUT_MS = 3_000;

/** What goes to other nodes, as it is before it is encrypted. */
class SentPeers extends Peers {
  readonly sent: { readonly header: Uint8Array; readonly plaintext: Uint8Array }[] = [];

  override sendEncrypted(_to: unknown, frameType: number, header: Uint8Array, plaintext: Uint8Array): boolean {
    expect(frameType).toBe(FRAME_FORWARDED);
    this.sent.push({ header, plaintext });
    return true;
  }
}

class World {
  readonly peers: SentPeers;
  readonly requests: ClientRequests;

  constructor(start: Start) {
    const config: CoreConfig = {
      ...{ suite, app: recordsApp, id, keyPair, service },
      certificate: endorseNode(suite, service, { id, publicKey: keyPair.publicKey, hosts: [] }, 0),
      ledgerSecrets: [{ from: seqno(1), key: suite.randomBytes(32) }],
      nodeAddress: "127.0.0.1:1",
      apiAddress: "127.0.0.1:2",
      start,
      timing: { electionTimeoutMs: 5_000, heartbeatMs: 100, commitTimeoutMs: TIMEOUT_MS },
      signing: SIGNING_DEFAULTS,
      observe: false,
    };
    const log = new ReplicatedLog(config, 0);
    if (start.type === "new") log.append(ownGenesis(config, start, log.store), 0);
    this.peers = new SentPeers(config, log.certificate);
    this.requests = new ClientRequests(config, log, this.peers, new StoredEntries(), () => parseNodeState({}));
  }

  ask(requestId: number, path: string): void {
    this.requests.handleRequest({ id: requestId, method: "GET", path, body: new Uint8Array(0) }, 0);
  }

  forwarded(commandId: number, method: string, path: string, body = ""): void {
    const plaintext = encodeForwardedRequest({ sessionId: 0, method, path, body: utf8(body) });
    this.requests.handleForwarded(peer, { type: "command", commandId, view: view(2) }, plaintext, 0);
  }

  /** Answers to other nodes: command id and error code. */
  get responses(): unknown[] {
    return this.peers.sent.map(({ header, plaintext }) => {
      const read = decodeForwardedHeader(header);
      if (read.type !== "response") return decodeForwardedRequest(plaintext);
      return [read.commandId, Object(parseJson(decodeForwardedResponse(plaintext).body)).error?.code];
    });
  }
}

describe("a request that another node has forwarded (ledger spec §13)", () => {
  it("is not forwarded again: a node that is no primary says so", () => {
    const backup = new World({ type: "join", nodes: [] });
    backup.forwarded(7, "PUT", "/records/a", '{"value":1}');
    backup.forwarded(8, "GET", "/records/a");
    expect(backup.responses).toEqual([
      [7, "no-primary"],
      [8, "no-primary"],
    ]);
  });

  it("is refused like a client's own when it makes no sense", () => {
    const primary = new World({ type: "new", members: [] });
    primary.forwarded(0, "GET", "/nothing");
    primary.forwarded(1, "PUT", "/records/a", "{");
    primary.forwarded(2, "GET", "/tx?from=0");
    expect(primary.responses).toEqual([
      [0, "not-found"],
      [1, "malformed"],
      [2, "malformed"],
    ]);
  });

  it("never takes the place of a client's own under the same number", () => {
    const node = new World({ type: "new", members: [] });
    const path = "/tx?from=1000&to=1000"; // waits until its deadline
    node.ask(7, path);
    node.forwarded(7, "GET", path);
    node.forwarded(7, "GET", path);
    node.requests.handleFlush();
    node.requests.handleTick(TIMEOUT_MS);
    expect(node.requests.pollOutput()).toMatchObject({ type: "respond", id: 7, status: 503 });
    expect(node.requests.pollOutput()).toBeUndefined();
    expect(node.responses).toEqual([
      [7, "timeout"],
      [7, "timeout"],
    ]);
  });
});
