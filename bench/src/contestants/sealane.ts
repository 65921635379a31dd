/**
 * Ours, through the public API of `@sealane/channel` and `@sealane/transport`, as a node uses them: real keys and certificates, the state
 * machine, the replay check. Batches are append-entries (frame type 1): one tag over the header, the entries behind it by reference. Small private
 * items are forwarded messages (frame type 2), encrypted whole.
 *
 * The tag covers the header, and the header a digest of the entries, which a node has at hand for its Merkle tree. The plain contestants
 * leave that digest to the ledger, as the goals do; `digestBound` computes it on both sides over all bytes, which is what the channel would
 * cost an application that has no ledger.
 */
import { Channel } from "@sealane/channel";
import { type CryptoSuite, EndorsementCache, nobleSuite } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import type { Frame } from "@sealane/transport";
import { type TcpTransport, tcp } from "@sealane/transport/tcp";
import {
  consensusHeaderBytes,
  decodeConsensus,
  ENTRIES_DIGEST_BYTES,
  encodeConsensus,
  encodeForwardedHeader,
  equalBytes,
  FRAME_CHANNEL,
  FRAME_CONSENSUS,
  FRAME_FORWARDED,
  forwardedHeaderBytes,
  fromBase64,
  NodeId,
  seqno,
  view,
} from "@sealane/wire";
import type { Contestant, Endpoint, Handlers, Link, Role, Shaker } from "./contestant.js";
import { HOST } from "./contestant.js";
import type { Identity } from "./identity.js";
import { Coalescer, ItemReader } from "./items.js";

interface Form {
  readonly suite: CryptoSuite;
  /** The digest of the entries is made and compared over all bytes. */
  readonly digestBound: boolean;
  /** Reconnects find the peer's certificate among those already verified. */
  readonly knownCertificates: boolean;
}

const PLAIN: Form = { suite: nativeSuite, digestBound: false, knownCertificates: false };

export const sealane: Contestant = contestant(PLAIN);
export const sealaneBound: Contestant = contestant({ ...PLAIN, digestBound: true });
export const sealaneNoble: Contestant = contestant({ ...PLAIN, suite: nobleSuite });
export const sealaneReconnect: Contestant = contestant({ ...PLAIN, knownCertificates: true });

const NO_DIGEST = new Uint8Array(ENTRIES_DIGEST_BYTES);
const VIEW = view(2);
/** First byte of the u64 kind of an init (channel-v2 §2). */
const KIND_INIT = 16;

function contestant(form: Form): Contestant {
  return {
    open: (self, role) => openEndpoint(self, role, form),
    openShaker: (self, role) => (role === "source" ? openAnswerer(self, form) : openDialler(self, form)),
  };
}

/** Makes channels for one node, whose key is read once. */
function channelMaker(identity: Identity, { suite }: Form): (peer: NodeId, cache: EndorsementCache) => Channel {
  const self = {
    id: NodeId.parse(identity.id),
    keyPair: suite.importPrivateKey(fromBase64(identity.privateKeyDer)),
    certificate: fromBase64(identity.certificateDer),
  };
  const serviceCertificate = fromBase64(identity.serviceCertificateDer);
  return (peer, cache) => {
    const trust = { serviceCertificate, trusted: (id: NodeId) => id === peer };
    return new Channel({ suite, version: 2, self, peer, trust, cache });
  };
}

/** Sends what a channel wants sent. */
function drain(channel: Channel, transport: TcpTransport): void {
  for (let output = channel.pollOutput(); ; output = channel.pollOutput()) {
    if (output.type === "wait" || output.type === "idle") return;
    if (output.type === "transmit") transport.send(channel.peer, output.frameType, output.parts);
    if (output.type === "rejected") throw new Error(`the channel refused something: ${output.code}`);
  }
}

async function openEndpoint(self: Identity, role: Role, form: Form): Promise<Endpoint> {
  const makeChannel = channelMaker(self, form);
  const sides = new Map<NodeId, Side>();
  /** Peers that take large frames on the connection they dialled themselves. */
  const settled = new Set<NodeId>();
  let onOpen = (): void => undefined;
  const transport = await tcp({
    self: NodeId.parse(self.id),
    listen: { host: HOST, port: 0 },
    onFrame: (frame) => {
      const verdict = sides.get(frame.from)?.handleFrame(frame) ?? "unproven";
      onOpen();
      return verdict;
    },
    onLink: (event) => {
      if (event.type === "confirmed" && !event.dialled) settled.add(event.peer);
      onOpen();
    },
  });
  return {
    port: transport.address.port,
    async connect(peers, handlers) {
      const cache = new EndorsementCache();
      for (const [index, { id }] of peers.entries()) {
        const peer = NodeId.parse(id);
        sides.set(peer, new Side(makeChannel(peer, cache), transport, handlers(index), form));
      }
      const open = new Promise<void>((resolve) => {
        onOpen = () => {
          if ([...sides].every(([peer, side]) => side.isOpen && settled.has(peer))) resolve();
        };
      });
      for (const { id, port } of peers) transport.setPeer(NodeId.parse(id), `${HOST}:${port}`);
      if (role === "source") for (const side of sides.values()) side.initiate();
      // Routes settle with traffic: a few small frames, as heartbeats are.
      const knock = setInterval(() => {
        for (const side of sides.values()) side.knock();
        onOpen();
      }, 5);
      await open;
      clearInterval(knock);
      onOpen = () => undefined;
      return [...sides.values()].map((side) => side.link());
    },
    close: () => transport.close(),
  };
}

/** A channel over a transport: what a node's core and host do for one peer. */
class Side {
  readonly #channel: Channel;
  readonly #transport: TcpTransport;
  readonly #handlers: Handlers;
  readonly #reader: ItemReader;
  readonly #form: Form;
  #lastSeqno = 0;
  #commandId = 0;

  constructor(channel: Channel, transport: TcpTransport, handlers: Handlers, form: Form) {
    this.#channel = channel;
    this.#transport = transport;
    this.#handlers = handlers;
    this.#reader = new ItemReader(handlers);
    this.#form = form;
  }

  get isOpen(): boolean {
    return this.#channel.isOpen && !this.#channel.isInExchange;
  }

  initiate(): void {
    this.#channel.initiate(performance.now());
    drain(this.#channel, this.#transport);
  }

  knock(): void {
    if (this.isOpen) this.#sendHeader(encodeConsensus({ type: "propose-request-vote", view: VIEW }));
  }

  link(): Link {
    const coalescer = new Coalescer((batch) => this.#sendBatch(batch));
    return {
      sendBatch: (batch) => this.#sendBatch(batch),
      submit: (item) => coalescer.add(item),
      sendPrivate: (items) => this.#sendPrivate(items),
      sendCredit: () => {
        const lastSeqno = seqno(this.#lastSeqno);
        this.#sendHeader(encodeConsensus({ type: "append-entries-response", view: VIEW, lastSeqno, success: true }));
      },
    };
  }

  handleFrame({ type, payload }: Frame): "authentic" | "unproven" {
    const nowMs = performance.now();
    if (type === FRAME_CHANNEL) {
      const isProof = this.#channel.handleFrame(payload, nowMs);
      drain(this.#channel, this.#transport);
      return isProof ? "authentic" : "unproven";
    }
    const headerBytes = type === FRAME_CONSENSUS ? consensusHeaderBytes(payload) : forwardedHeaderBytes(payload);
    const opened = this.#channel.open(type, headerBytes, payload, nowMs);
    drain(this.#channel, this.#transport);
    if (opened === undefined) throw new Error("a record was refused");
    if (type === FRAME_FORWARDED) this.#reader.push(opened.plaintext);
    else this.#handleConsensus(opened.header, opened.rest);
    return "authentic";
  }

  #handleConsensus(header: Uint8Array, entries: Uint8Array): void {
    const { message, entriesDigest } = decodeConsensus(header);
    if (message.type === "append-entries-response") this.#handlers.onCredit();
    if (message.type !== "append-entries" || entriesDigest === undefined) return;
    if (this.#form.digestBound && !equalBytes(this.#form.suite.sha256(entries), entriesDigest)) {
      throw new Error("the entries are not those of the header");
    }
    this.#lastSeqno = message.seqno;
    this.#reader.push(entries);
  }

  #sendBatch(batch: Uint8Array): void {
    const prevSeqno = seqno(this.#lastSeqno++);
    const digest = this.#form.digestBound ? this.#form.suite.sha256(batch) : NO_DIGEST;
    const header = encodeConsensus(
      {
        type: "append-entries",
        seqno: seqno(this.#lastSeqno),
        prevSeqno,
        view: VIEW,
        prevView: VIEW,
        commitSeqno: prevSeqno,
        viewOfSeqno: VIEW,
      },
      digest,
    );
    this.#sendHeader(header, batch);
  }

  #sendHeader(header: Uint8Array, entries?: Uint8Array): void {
    const trailer = this.#channel.seal(header, performance.now());
    drain(this.#channel, this.#transport);
    if (trailer === undefined) throw new Error("the channel is open");
    const parts = entries === undefined ? [header, trailer] : [header, trailer, entries];
    if (!this.#transport.send(this.#channel.peer, FRAME_CONSENSUS, parts)) throw new Error("a frame was dropped");
  }

  #sendPrivate(items: Uint8Array): void {
    const header = encodeForwardedHeader({ type: "command", commandId: ++this.#commandId, view: VIEW });
    const sealed = this.#channel.sealEncrypted(header, items, performance.now());
    drain(this.#channel, this.#transport);
    if (typeof sealed === "string") throw new Error("the channel is open");
    if (!this.#transport.send(this.#channel.peer, FRAME_FORWARDED, [header, sealed])) {
      throw new Error("a frame was dropped");
    }
  }
}

/** Answers whoever dials in: for every new init a new channel, as for a node that has restarted. */
async function openAnswerer(self: Identity, form: Form): Promise<Shaker> {
  const makeChannel = channelMaker(self, form);
  const channels = new Map<NodeId, Channel>();
  const known = new EndorsementCache();
  const channelFor = (peer: NodeId): Channel => {
    channels.get(peer)?.close();
    if (!form.knownCertificates) known.clear();
    const channel = makeChannel(peer, known);
    channels.set(peer, channel);
    return channel;
  };
  const transport = await tcp({
    self: NodeId.parse(self.id),
    listen: { host: HOST, port: 0 },
    onFrame: ({ from, payload }) => {
      const channel = payload[0] === KIND_INIT ? channelFor(from) : channels.get(from);
      if (channel === undefined) return "unproven";
      const isProof = channel.handleFrame(payload, performance.now());
      drain(channel, transport);
      return isProof ? "authentic" : "unproven";
    },
  });
  return {
    port: transport.address.port,
    shake: () => Promise.reject(new Error("this side answers")),
    close: () => transport.close(),
  };
}

async function openDialler(self: Identity, form: Form): Promise<Shaker> {
  const makeChannel = channelMaker(self, form);
  const known = new EndorsementCache();
  let channel: Channel | undefined;
  let onFrame = (): void => undefined;
  const transport = await tcp({
    self: NodeId.parse(self.id),
    listen: { host: HOST, port: 0 },
    onFrame: ({ payload }) => {
      const isProof = channel?.handleFrame(payload, performance.now()) ?? false;
      if (channel !== undefined) drain(channel, transport);
      onFrame();
      return isProof ? "authentic" : "unproven";
    },
  });
  return {
    port: transport.address.port,
    async shake({ id, port }) {
      const peer = NodeId.parse(id);
      if (!form.knownCertificates) known.clear();
      const current = makeChannel(peer, known);
      channel = current;
      const done = new Promise<void>((resolve) => {
        onFrame = () => {
          // The other end's confirm has come.
          if (current.isOpen && !current.isInExchange) resolve();
        };
      });
      transport.setPeer(peer, `${HOST}:${port}`);
      current.initiate(performance.now());
      drain(current, transport);
      await done;
      current.close();
      transport.setPeer(peer, undefined);
    },
    close: () => transport.close(),
  };
}
