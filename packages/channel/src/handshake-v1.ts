/**
 * The handshake messages of version 1 (channel-v1-wire §3), byte for byte those of existing CCF nodes: how each is made, and what is checked
 * before anything is believed. Pure functions of a party and bytes, as in `handshake-v2.ts`.
 *
 * A signature of version 1 covers key shares and nothing else. So everything that can be held against a message without changing its
 * bytes is checked here: the certificate has to be the peer's own (§12.1, 4), shares and salt have the one form that senders write, nothing may
 * follow (§12.1, 6), and no state changes before the last check. What cannot be checked at all (the salt, §4) is left to `exchange.ts`.
 */
import {
  CryptoError,
  type Curve,
  type PublicKey,
  pemDecode,
  pemEncode,
  signatureFromDer,
  signatureToDer,
  spkiHash,
} from "@sealane/crypto";
import {
  type ChannelFinalV1,
  type ChannelInitV1,
  type ChannelResponseV1,
  concatBytes,
  decodeHandshakeV1,
  encodeHandshakeV1,
  fromUtf8,
  HANDSHAKE_ID_BYTES,
  type HandshakeMessageV1,
  hex,
  utf8,
  WireError,
} from "@sealane/wire";
import { HandshakeError } from "./errors.js";
import { deriveKeysV1 } from "./key-schedule-v1.js";
import type { Party } from "./party.js";
import { endorsedKey } from "./peer-certificate.js";
import { ReceiveKey } from "./receive-key.js";
import { recordFormatV1 } from "./record-v1.js";
import { SendKey } from "./send-key.js";
import type { Attempt, PendingHandshake, ReceivedMessage, SessionKeys, VerifiedInit } from "./version.js";

/** §3.1: key shares are on P-384, whatever curve the node keys are on. */
const SHARE_CURVE = "P-384";
/** §1: node keys are on P-384 by default, and P-256 works too. */
const NODE_CURVES: readonly Curve[] = ["P-384", "P-256"];
/** §3.1: the number of bytes that follow, in front of the point and inside everything signed. */
const SHARE_PREFIX = 0x61;
const SHARE_BYTES = 1 + SHARE_PREFIX;
const SALT_BYTES = 32;
const CERTIFICATE = "CERTIFICATE";
/** §3, final: kind (8) ‖ length of the signature (8) ‖ signature. */
const FINAL_OVERHEAD_BYTES = 16;

/** A new ephemeral key and a new salt for every init. */
export function startInitV1(party: Party): Attempt {
  const { suite } = party;
  const ephemeral = suite.generateKeyPair(SHARE_CURVE);
  const share = encodeShare(ephemeral.publicKey);
  const init = encodeHandshakeV1({
    kind: "init",
    share,
    signature: sign(party, share),
    certificate: ownCertificate(party),
    salt: suite.randomBytes(SALT_BYTES),
  });
  return { handshakeId: handshakeIdOf(party, share), init, ephemeral };
}

/** Parses a message and does the checks that cost no signature. Ids are not in it: the owner hands on what claims to come from the peer. */
export function readMessageV1(party: Party, payload: Uint8Array): ReceivedMessage {
  const message = decode(payload);
  if (!party.trust.trusted(party.peer)) throw new HandshakeError("untrusted");
  switch (message.kind) {
    case "init":
      if (message.salt.length !== SALT_BYTES) throw new HandshakeError("malformed");
      return {
        kind: "init",
        handshakeId: handshakeIdOf(party, message.share),
        verify: () => verifyInit(party, message),
      };
    case "response":
      return {
        kind: "response",
        handshakeId: undefined,
        complete: (attempt) => completeResponse(party, attempt, message),
      };
    case "final":
      // §3.5: existing nodes let anything follow, yet send nothing.
      if (payload.length !== FINAL_OVERHEAD_BYTES + message.signature.length) throw new HandshakeError("trailing");
      return {
        kind: "final",
        handshakeId: undefined,
        verify: (pending) => verifyFinal(party, pending, message),
      };
  }
}

/** The layout of §3, with a code of its own for each way to be wrong. */
function decode(payload: Uint8Array): HandshakeMessageV1 {
  try {
    return decodeHandshakeV1(payload);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    switch (error.code) {
      case "unknown-kind":
        throw new HandshakeError(hasVersion(payload) ? "wrong-version" : "unknown-kind", { cause: error });
      case "utf8":
        throw new HandshakeError("malformed", { cause: error });
      default:
        throw new HandshakeError(error.code, { cause: error });
    }
  }
}

/** Kinds 0 and 1, init and response, are followed by a version number. */
function hasVersion(payload: Uint8Array): boolean {
  return (payload[0] ?? 0) <= 1 && payload.subarray(1, 8).every((byte) => byte === 0);
}

function verifyInit(party: Party, init: ChannelInitV1): VerifiedInit {
  const peerKey = peerKeyOf(party, init.certificate);
  const peerShare = importShare(party, init.share);
  // §3.2: the initiator's share, as received.
  checkSignature(party, peerKey, init.share, init.signature);
  return { answer: () => answerInit(party, peerKey, peerShare, init) };
}

function answerInit(
  party: Party,
  peerKey: PublicKey,
  peerShare: PublicKey,
  init: ChannelInitV1,
): ReturnType<VerifiedInit["answer"]> {
  const { suite } = party;
  // §12.1, 2: existing nodes use one ephemeral key until an exchange is complete, and so may make the same keys twice. Here each answer has its own.
  const ephemeral = suite.generateKeyPair(SHARE_CURVE);
  const share = encodeShare(ephemeral.publicKey);
  const response = encodeHandshakeV1({
    kind: "response",
    share,
    // §3.2: the signer's own share first.
    signature: sign(party, concatBytes(share, init.share)),
    certificate: ownCertificate(party),
  });
  const sharedSecret = suite.agree(ephemeral.privateKey, peerShare);
  suite.wipe(ephemeral.privateKey);
  const handshakeId = handshakeIdOf(party, init.share);
  const keys = sessionKeys(party, sharedSecret, init.salt, handshakeId);
  // §3.2: the final signs the responder's share alone, and that share is this answer's own; so it tells which answer it belongs to.
  return { response, pending: { handshakeId, transcript: share, peerKey, keys } };
}

function completeResponse(
  party: Party,
  attempt: Attempt,
  response: ChannelResponseV1,
): { readonly final: Uint8Array; readonly keys: SessionKeys } {
  const { suite } = party;
  const peerKey = peerKeyOf(party, response.certificate);
  const peerShare = importShare(party, response.share);
  const ownShare = encodeShare(attempt.ephemeral.publicKey);
  checkSignature(party, peerKey, concatBytes(response.share, ownShare), response.signature);
  const final = encodeHandshakeV1({ kind: "final", signature: sign(party, response.share) });
  const sharedSecret = suite.agree(attempt.ephemeral.privateKey, peerShare);
  suite.wipe(attempt.ephemeral.privateKey);
  return { final, keys: sessionKeys(party, sharedSecret, saltOf(attempt), attempt.handshakeId) };
}

function verifyFinal(party: Party, pending: PendingHandshake, final: ChannelFinalV1): void {
  checkSignature(party, pending.peerKey, pending.transcript, final.signature);
}

function sessionKeys(party: Party, sharedSecret: Uint8Array, salt: Uint8Array, handshakeId: string): SessionKeys {
  const { suite, self, peer } = party;
  const { send, receive } = deriveKeysV1(suite, sharedSecret, salt, { self: self.id, peer });
  return {
    send: new SendKey(suite, recordFormatV1, send),
    receive: new ReceiveKey(suite, recordFormatV1, receive, handshakeId),
  };
}

function saltOf({ init }: Attempt): Uint8Array {
  return init.subarray(init.length - SALT_BYTES); // the last field of an init that we made
}

/** The share is what an init's signature covers, so two inits with one share are one init, whatever else differs. */
function handshakeIdOf({ suite }: Party, share: Uint8Array): string {
  return hex(suite.sha384(share).subarray(0, HANDSHAKE_ID_BYTES));
}

function encodeShare({ point }: PublicKey): Uint8Array {
  return concatBytes(Uint8Array.of(SHARE_PREFIX), point);
}

/**
 * §3.1. Existing nodes ignore the first byte and take compressed points; the signature then covers other bytes than the ones they sign in turn.
 * Senders write one form only, so only that one is taken here.
 */
function importShare({ suite }: Party, share: Uint8Array): PublicKey {
  if (share.length !== SHARE_BYTES || share[0] !== SHARE_PREFIX) throw new HandshakeError("bad-share");
  try {
    return suite.importPoint(SHARE_CURVE, share.subarray(1));
  } catch (error) {
    if (error instanceof CryptoError) throw new HandshakeError("bad-share", { cause: error });
    throw error;
  }
}

/** §3.3: what a node sends. */
function ownCertificate({ self }: Party): Uint8Array {
  return utf8(pemEncode(CERTIFICATE, self.certificate));
}

/** §3.4, and beyond it: the certificate is an end entity's, and that of the very node this channel is for. */
function peerKeyOf(party: Party, certificate: Uint8Array): PublicKey {
  const { suite, self, peer } = party;
  const der = readPem(certificate);
  const publicKey = endorsedKey(party, der, NODE_CURVES);
  checkAnchor(party);
  const id = spkiHash(suite, publicKey.spki);
  // §12.1, 4. Without this any endorsed node could pass as any other, and our own messages could come back to us as a peer's.
  if (id === self.id) throw new HandshakeError("own-id");
  if (id !== peer) throw new HandshakeError("identity-mismatch");
  return publicKey;
}

/** §3.3: begins with the BEGIN line, ends of lines are LF, the first block counts, one NUL at the very end is dropped. */
function readPem(bytes: Uint8Array): Uint8Array {
  const begin = `-----BEGIN ${CERTIFICATE}-----\n`;
  const end = `\n-----END ${CERTIFICATE}-----`;
  try {
    const text = fromUtf8(bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes);
    const length = text.indexOf(end) + end.length;
    const block = text.slice(0, length);
    const isWhole = text.startsWith(begin) && length >= end.length && (text[length] ?? "\n") === "\n";
    if (!isWhole || block.includes("\r") || text.includes("\0")) throw new HandshakeError("certificate-malformed");
    return pemDecode(CERTIFICATE, block);
  } catch (error) {
    if (error instanceof WireError || error instanceof CryptoError) {
      throw new HandshakeError("certificate-malformed", { cause: error });
    }
    throw error;
  }
}

/** §3.4: the anchor must be self-signed. Version 2 takes an anchor for what it is, a pinned key. */
function checkAnchor({ suite, trust, cache }: Party): void {
  const anchor = cache.anchor(suite, trust.serviceCertificate);
  const { publicKey, subjectDer, issuerDer, tbs, signature, signatureHash } = anchor;
  const sameName = subjectDer.length === issuerDer.length && subjectDer.every((byte, at) => byte === issuerDer[at]);
  const raw = sameName ? rawSignature(signature, publicKey.curve) : undefined;
  if (raw === undefined || !suite.verify(publicKey, tbs, raw, signatureHash)) {
    throw new HandshakeError("anchor-not-self-signed");
  }
}

/** §3.2: DER, hash by the curve of the signer's own key. */
function sign({ suite, self }: Party, message: Uint8Array): Uint8Array {
  return signatureToDer(suite.sign(self.keyPair.privateKey, message));
}

function checkSignature({ suite }: Party, key: PublicKey, message: Uint8Array, signature: Uint8Array): void {
  const raw = rawSignature(signature, key.curve);
  if (raw === undefined || !suite.verify(key, message, raw)) throw new HandshakeError("bad-signature");
}

function rawSignature(der: Uint8Array, curve: Curve): Uint8Array | undefined {
  try {
    return signatureFromDer(der, curve);
  } catch (error) {
    if (error instanceof CryptoError) return undefined;
    throw error;
  }
}
