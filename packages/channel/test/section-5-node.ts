/**
 * The node that channel-v1-wire §4 to §8 describes, to the letter and with nothing added: it switches its send key at the init, keeps its ephemeral key
 * until an exchange is complete, reads with one key at a time, and never retries by itself. For trying ours against; certificates aside.
 */
import type { AeadKey, KeyPair } from "@sealane/crypto";
import { signatureFromDer } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import {
  concatBytes,
  decodeHandshakeV1,
  encodeHandshakeV1,
  FRAME_CHANNEL,
  FRAME_CONSENSUS,
  FRAME_FORWARDED,
  type FrameType,
  utf8,
} from "@sealane/wire";
import { pemOf, signDer } from "./forge-v1.js";
import { HEADER_BYTES, type Identity } from "./harness.js";

export interface Out {
  readonly frameType: FrameType;
  readonly payload: Uint8Array;
}

const EMPTY = new Uint8Array(0);
const QUEUED_FORWARDED_MAX = 10;

export class Section5Node {
  status: "INACTIVE" | "INITIATED" | "WAITING_FOR_FINAL" | "ESTABLISHED" = "INACTIVE";
  readonly out: Out[] = [];
  readonly accepted: string[] = [];
  refused = 0;
  exchanges = 0;
  readonly #self: Identity;
  readonly #peer: Identity;
  readonly #limit: number;
  #ephemeral: KeyPair | undefined;
  #salt: Uint8Array = EMPTY;
  #send: AeadKey | undefined;
  #receive: AeadKey | undefined;
  #pendingReceive: AeadKey | undefined;
  #nextNonce = 1;
  #lastNonce = 0;
  #consensus: Uint8Array | undefined;
  #forwarded: { readonly header: Uint8Array; readonly plaintext: Uint8Array }[] = [];

  constructor(self: Identity, peer: Identity, limit = 23_726_566) {
    this.#self = self;
    this.#peer = peer;
    this.#limit = limit;
  }

  /** §5, "send". False: refused. */
  send(
    frameType: typeof FRAME_CONSENSUS | typeof FRAME_FORWARDED,
    header: Uint8Array,
    plaintext: Uint8Array = EMPTY,
  ): boolean {
    if (this.#send !== undefined) {
      this.#seal(this.#send, frameType, header, plaintext);
      this.#checkLimit();
      return true;
    }
    if (this.status === "INACTIVE") this.#initiate();
    if (frameType === FRAME_CONSENSUS) {
      this.#consensus = header;
      return true;
    }
    return this.#forwarded.length < QUEUED_FORWARDED_MAX && this.#forwarded.push({ header, plaintext }) > 0;
  }

  receive({ frameType, payload }: Out): void {
    const isTaken = frameType === FRAME_CHANNEL ? this.#exchange(payload) : this.#open(frameType, payload);
    if (!isTaken) this.refused += 1;
  }

  #exchange(payload: Uint8Array): boolean {
    const message = decodeHandshakeV1(payload);
    if (message.kind === "final") {
      if (this.status !== "WAITING_FOR_FINAL" || this.#ephemeral === undefined) return false;
      if (!this.#verify(this.#shareOf(this.#ephemeral), message.signature)) return false;
      this.#receive = this.#pendingReceive;
      this.#lastNonce = 0;
      this.#establish();
      return true;
    }
    if (message.kind === "response") {
      if (this.status !== "INITIATED" || this.#ephemeral === undefined) return false;
      if (!this.#verify(concatBytes(message.share, this.#shareOf(this.#ephemeral)), message.signature)) return false;
      this.#derive(message.share);
      this.#nextNonce = 1;
      this.#handshake(encodeHandshakeV1({ kind: "final", signature: signDer(this.#self.keyPair, message.share) }));
      this.#flush();
      this.#receive = this.#pendingReceive;
      this.#lastNonce = 0;
      this.#establish();
      return true;
    }
    if (!this.#verify(message.share, message.signature)) return false;
    if (this.status === "INITIATED" && this.#self.id > this.#peer.id) return true; // ignored
    if (this.status === "ESTABLISHED") this.#ephemeral = undefined;
    this.#salt = message.salt.slice();
    this.#ephemeral ??= suite.generateKeyPair("P-384");
    const share = this.#shareOf(this.#ephemeral);
    this.#derive(message.share);
    this.#nextNonce = 1;
    this.status = "WAITING_FOR_FINAL";
    const signature = signDer(this.#self.keyPair, concatBytes(share, message.share));
    this.#handshake(
      encodeHandshakeV1({ kind: "response", share, signature, certificate: pemOf(this.#self.certificate) }),
    );
    this.#flush();
    return true;
  }

  #initiate(): void {
    this.#ephemeral = suite.generateKeyPair("P-384");
    this.#salt = suite.randomBytes(32);
    this.status = "INITIATED";
    const share = this.#shareOf(this.#ephemeral);
    const signature = signDer(this.#self.keyPair, share);
    const certificate = pemOf(this.#self.certificate);
    this.#handshake(encodeHandshakeV1({ kind: "init", share, signature, certificate, salt: this.#salt }));
  }

  #establish(): void {
    this.status = "ESTABLISHED";
    this.#ephemeral = undefined;
    this.exchanges += 1;
  }

  /** §4: both keys; the send key is used at once. */
  #derive(peerShare: Uint8Array): void {
    if (this.#ephemeral === undefined) throw new Error("no ephemeral key");
    const secret = suite.agree(this.#ephemeral.privateKey, suite.importPoint("P-384", peerShare.subarray(1)));
    const prk = suite.hkdfExtract("SHA-256", this.#salt, secret);
    const key = (from: Identity, to: Identity): AeadKey =>
      suite.aead(suite.hkdfExpand("SHA-256", prk, utf8(from.id + to.id), 32));
    this.#send = key(this.#self, this.#peer);
    this.#pendingReceive = key(this.#peer, this.#self);
  }

  #flush(): void {
    if (this.#send === undefined) return;
    if (this.#consensus !== undefined) this.#seal(this.#send, FRAME_CONSENSUS, this.#consensus, EMPTY);
    this.#consensus = undefined;
    for (const { header, plaintext } of this.#forwarded.splice(0))
      this.#seal(this.#send, FRAME_FORWARDED, header, plaintext);
  }

  #seal(key: AeadKey, frameType: FrameType, header: Uint8Array, plaintext: Uint8Array): void {
    const iv = new Uint8Array(8);
    new DataView(iv.buffer).setBigUint64(0, BigInt(this.#nextNonce) << 8n, true);
    this.#nextNonce += 1;
    const { ciphertext, tag } = key.seal(iv, header, plaintext);
    this.out.push({ frameType, payload: concatBytes(header, tag, iv, ciphertext) });
  }

  #open(frameType: FrameType, payload: Uint8Array): boolean {
    if (this.#receive === undefined) {
      if (this.status === "INACTIVE") this.#initiate();
      return false;
    }
    const header = payload.subarray(0, HEADER_BYTES);
    const tag = payload.subarray(HEADER_BYTES, HEADER_BYTES + 16);
    const iv = payload.slice(HEADER_BYTES + 16, HEADER_BYTES + 24);
    const nonce = Number(new DataView(iv.buffer).getBigUint64(0, true) >> 8n);
    if (nonce <= this.#lastNonce) return false;
    const ciphertext = frameType === FRAME_FORWARDED ? payload.subarray(HEADER_BYTES + 24) : EMPTY;
    const plaintext = this.#receive.open(iv, header, ciphertext, tag);
    if (plaintext !== undefined) {
      this.#lastNonce = nonce;
      this.accepted.push(String.fromCharCode(...header).trimEnd());
    }
    this.#checkLimit();
    return plaintext !== undefined;
  }

  /** §6. */
  #checkLimit(): void {
    const used = this.#nextNonce + this.#lastNonce;
    if (this.status === "ESTABLISHED" && used >= Math.floor(this.#limit / 2)) {
      this.#initiate();
    } else if (used >= this.#limit) {
      this.#send = undefined;
      this.#receive = undefined;
      this.#nextNonce = 0;
      this.#lastNonce = 0;
      this.#initiate();
    }
  }

  #handshake(payload: Uint8Array): void {
    this.out.push({ frameType: FRAME_CHANNEL, payload });
  }

  #shareOf({ publicKey }: KeyPair): Uint8Array {
    return concatBytes(Uint8Array.of(0x61), publicKey.point);
  }

  #verify(signed: Uint8Array, signature: Uint8Array): boolean {
    const { publicKey } = this.#peer.keyPair;
    return suite.verify(publicKey, signed, signatureFromDer(signature, publicKey.curve));
  }
}
