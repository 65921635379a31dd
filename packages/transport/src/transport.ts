/**
 * What every transport between nodes offers, whatever carries the bytes: frames of channel-v1-wire §2 go to a peer by its id, and frames
 * come in with the id their sender claims. A transport belongs to the untrusted host part of a node: it sees ciphertext and
 * integrity-protected bytes, proves nothing by itself, and may lose frames. Who really sent a frame is for the channel to say, and its
 * verdict comes back as the result of the frame handler.
 */
import type { FrameType, NodeId } from "@sealane/wire";

export interface Transport {
  /**
   * Queues one frame. Never blocks and never throws for a state of the network.
   * @param parts - The payload, in order. Parts of 8 KiB and more are sent by reference: do not write into them afterwards.
   * @returns `false` when the frame was dropped: no way to the peer, its buffer is full, the frame is over the bound the peer allows at
   *   this moment, or the transport is closed. `true` promises nothing: a frame can still be lost with its connection.
   */
  send(to: NodeId, type: FrameType, parts: readonly Uint8Array[]): boolean;
  /**
   * Says where a peer is, and keeps a link to it from then on; another address moves the link. `undefined` removes the peer: its links
   * are closed after what is queued, and it can still dial in.
   * @param address - `host:port`, an IPv6 host in brackets.
   * @throws {TransportError} `bad-address`.
   */
  setPeer(peer: NodeId, address: string | undefined): void;
  /** Every peer with an address or a live link. */
  peers(): readonly LinkState[];
  /** Sends what is queued within a short deadline, then closes everything. Nothing is delivered from the call on. Idempotent. */
  close(): Promise<void>;
}

export interface Frame {
  /** As claimed on the wire. On one connection it never changes. */
  readonly from: NodeId;
  readonly type: FrameType;
  /** Borrowed: valid only until the handler returns, then its memory is used again. Copy what must stay. */
  readonly payload: Uint8Array;
}

/**
 * Takes every frame that arrives. `"authentic"` says that this frame was proven to come from `from`, now: its connection may then carry
 * frames up to `frameBytesMax` and replaces an older one of the same peer. Never say it of a frame that anybody could have recorded and
 * sent again. A handler that throws costs a TCP connection (`handler-failed`, with the error as cause); in memory the error comes out of
 * `advance`.
 */
export type FrameHandler = (frame: Frame) => "authentic" | "unproven";

/** One side of a link as `peers()` reports it. */
export type DialState = "none" | "waiting" | "dialling" | "connected" | "authentic";
export type AcceptState = "none" | "claimed" | "authentic";

export interface LinkState {
  readonly peer: NodeId;
  readonly address: string | undefined;
  /** The connection this side dials. "waiting" is the pause between two attempts. */
  readonly dialled: DialState;
  /** The connections the peer dialled. "claimed" ones carry its id but have proven nothing. */
  readonly accepted: AcceptState;
  /** Which connection the next small frame takes. */
  readonly sendsOn: "dialled" | "accepted" | "none";
  /** Whether a frame over `unprovenFrameBytesMax` can be sent now: the peer has confirmed that it takes them. */
  readonly carriesLarge: boolean;
  /** Bytes waiting here, not yet taken by the operating system. */
  readonly bufferedBytes: number;
  readonly framesSent: number;
  readonly framesReceived: number;
  readonly dropped: DropCounts;
}

/** Frames `send` refused or gave up, by cause. */
export interface DropCounts {
  /** The peer's outgoing buffer was full. */
  readonly bufferFull: number;
  /** No address and no connection, or the attempt to dial failed while the frame waited. */
  readonly noPath: number;
  /** Over the bound on frames, or over the bound of a peer that has not yet confirmed our frames. */
  readonly tooLarge: number;
}

/** Why a connection ended. */
export type CloseReason =
  | "ended" // the peer closed it
  | "failed" // the operating system reported an error; see `cause`
  | "dial-failed" // no connection came about; see `cause`
  | "dial-timeout"
  | "frame-refused" // see the `frame-refused` event before it
  | "sender-mismatch" // a frame claimed another id than the connection belongs to, or our own
  | "replaced" // the peer has a newer connection that is authentic
  | "silent" // nothing arrived for too long
  | "crowded-out" // too many connections that have proven nothing; the oldest goes
  | "handler-failed" // the frame handler threw; see `cause`
  | "removed" // setPeer took the peer or its address away
  | "cut" // the in-memory network was told to
  | "closing"; // close() of this transport

/** Why a frame closed its connection: the codes of `WireError`, as far as frame heads have them. */
export type FrameRefusal = "too-large" | "truncated" | "unknown-kind" | "malformed";

/** What happens to links, for operators, metrics and tests. `connection` numbers the connections of one transport from 1. */
export type LinkEvent =
  | { readonly type: "dialling"; readonly peer: NodeId; readonly connection: number; readonly address: string }
  | { readonly type: "connected"; readonly peer: NodeId; readonly connection: number }
  | { readonly type: "accepted"; readonly connection: number; readonly remote: string }
  | { readonly type: "claimed"; readonly peer: NodeId; readonly connection: number }
  | { readonly type: "authenticated"; readonly peer: NodeId; readonly connection: number; readonly dialled: boolean }
  /** The peer has confirmed our frames on this connection: it takes large ones there. */
  | { readonly type: "confirmed"; readonly peer: NodeId; readonly connection: number; readonly dialled: boolean }
  | {
      readonly type: "frame-refused";
      readonly peer: NodeId | undefined;
      readonly connection: number;
      readonly code: FrameRefusal;
      readonly message: string;
    }
  | {
      readonly type: "closed";
      readonly peer: NodeId | undefined;
      readonly connection: number;
      readonly dialled: boolean;
      readonly reason: CloseReason;
      readonly cause?: unknown;
    }
  /** The listener could not take a connection (out of file descriptors, say). It goes on listening. */
  | { readonly type: "accept-failed"; readonly cause: unknown };

export type LinkObserver = (event: LinkEvent) => void;
