/**
 * The handshake messages of version 2: how each is made, and every check of channel-v2 §3 before anything is believed. Pure functions of
 * a party and bytes; when they run, and what becomes of the results, is decided in `exchange.ts`.
 *
 * Each signature covers a hash of everything that was said before it, with the signer's role in front. So an attacker cannot move a
 * message to another exchange, another pair of nodes, another role or another version: some signed byte would differ.
 */
import { CryptoError, type Curve, type PublicKey, spkiHash } from "@sealane/crypto";
import {
  type ChannelFinal,
  type ChannelInit,
  type ChannelResponse,
  concatBytes,
  decodeHandshake,
  encodeConfirm,
  encodeFinalUnsigned,
  encodeInitUnsigned,
  encodeResponseUnsigned,
  FRAME_CHANNEL,
  fromHex,
  HANDSHAKE_ID_BYTES,
  HANDSHAKE_NONCE_BYTES,
  type HandshakeMessage,
  hex,
  utf8,
  WireError,
} from "@sealane/wire";
import { HandshakeError } from "./errors.js";
import { deriveKeys } from "./key-schedule-v2.js";
import type { Party } from "./party.js";
import { endorsedKey } from "./peer-certificate.js";
import { ReceiveKey } from "./receive-key.js";
import { recordFormatV2 } from "./record-v2.js";
import { SendKey } from "./send-key.js";
import type { Attempt, PendingHandshake, ReceivedMessage, SessionKeys, VerifiedInit } from "./version.js";

/** §1: key shares are on P-384, whatever curve the node keys are on. */
const SHARE_CURVE = "P-384";
/** §1: what node keys may be on unless the service allows more. */
const NODE_CURVES: readonly Curve[] = ["P-384"];
/** §2: kinds 16 to 19 are version 2's, as u64 little-endian. */
const KIND_MIN = 16;
const KIND_MAX = 19;

type Role = "init" | "response" | "final";

/** §4: a new ephemeral key and a new nonce for every attempt, without exception. */
export function startInit(party: Party): Attempt {
  const { suite, self, peer } = party;
  const ephemeral = suite.generateKeyPair(SHARE_CURVE);
  const unsigned = encodeInitUnsigned({
    initiator: self.id,
    responder: peer,
    nonce: suite.randomBytes(HANDSHAKE_NONCE_BYTES),
    share: ephemeral.publicKey.point,
    certificate: self.certificate,
  });
  const init = withSignature(party, "init", unsigned, suite.sha384(unsigned));
  return { handshakeId: handshakeIdOf(party, init), init, ephemeral };
}

/** Parses a message and does the checks of §3 that cost no signature, in the section's order. */
export function readMessage(party: Party, payload: Uint8Array): ReceivedMessage {
  const message = decode(payload);
  if (message.kind === "init") {
    if (message.responder !== party.self.id) throw new HandshakeError("wrong-receiver");
    if (message.initiator === party.self.id) throw new HandshakeError("own-id");
    if (message.initiator !== party.peer) throw new HandshakeError("wrong-sender");
  }
  if (!party.trust.trusted(party.peer)) throw new HandshakeError("untrusted");
  switch (message.kind) {
    case "init":
      return {
        kind: "init",
        handshakeId: handshakeIdOf(party, payload),
        verify: () => verifyInit(party, message, payload),
      };
    case "response":
      return {
        kind: "response",
        handshakeId: hex(message.handshakeId),
        complete: (attempt) => completeResponse(party, attempt, message, payload),
      };
    case "final":
      return {
        kind: "final",
        handshakeId: hex(message.handshakeId),
        verify: (pending) => verifyFinal(party, pending, message),
      };
    case "confirm":
      return { kind: "confirm", handshakeId: hex(message.handshakeId), headerBytes: message.header.length };
  }
}

/** §2: confirm is a tagged record, counter 1, under the new keys. */
export function makeConfirm({ handshakeId, keys }: PendingHandshake): Uint8Array {
  const header = encodeConfirm(fromHex(handshakeId));
  return concatBytes(header, keys.send.sealHeader(FRAME_CHANNEL, header));
}

/** The layout of §2, with a code of its own for each way to be wrong. */
function decode(payload: Uint8Array): HandshakeMessage {
  try {
    return decodeHandshake(payload);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    switch (error.code) {
      case "unknown-kind":
        throw new HandshakeError(isKindOfVersion2(payload) ? "wrong-version" : "unknown-kind", { cause: error });
      case "utf8":
        throw new HandshakeError("malformed", { cause: error });
      default:
        throw new HandshakeError(error.code, { cause: error });
    }
  }
}

function isKindOfVersion2(payload: Uint8Array): boolean {
  const low = payload[0] ?? 0;
  return low >= KIND_MIN && low <= KIND_MAX && payload.subarray(1, 8).every((byte) => byte === 0);
}

function verifyInit(party: Party, init: ChannelInit, payload: Uint8Array): VerifiedInit {
  const { suite } = party;
  const peerKey = checkCertificate(party, init.certificate);
  const peerShare = importShare(party, init.share);
  // H1 = SHA-384(all bytes above the signature)
  checkSignature(party, "init", peerKey, suite.sha384(init.signed), init.signature);
  return { answer: () => answerInit(party, peerKey, peerShare, payload) };
}

function answerInit(
  party: Party,
  peerKey: PublicKey,
  peerShare: PublicKey,
  init: Uint8Array,
): ReturnType<VerifiedInit["answer"]> {
  const { suite, self } = party;
  const handshakeId = handshakeIdOf(party, init);
  const ephemeral = suite.generateKeyPair(SHARE_CURVE);
  const unsigned = encodeResponseUnsigned({
    handshakeId: fromHex(handshakeId),
    nonce: suite.randomBytes(HANDSHAKE_NONCE_BYTES),
    share: ephemeral.publicKey.point,
    certificate: self.certificate,
  });
  // H2 = SHA-384(init ‖ all bytes above the signature)
  const response = withSignature(party, "response", unsigned, suite.sha384(init, unsigned));
  const transcript = concatBytes(init, response);
  const sharedSecret = suite.agree(ephemeral.privateKey, peerShare);
  suite.wipe(ephemeral.privateKey);
  return {
    response,
    pending: { handshakeId, transcript, peerKey, keys: sessionKeys(party, sharedSecret, transcript, handshakeId) },
  };
}

function completeResponse(
  party: Party,
  attempt: Attempt,
  response: ChannelResponse,
  payload: Uint8Array,
): { readonly final: Uint8Array; readonly keys: SessionKeys } {
  const { suite } = party;
  const peerKey = checkCertificate(party, response.certificate);
  const peerShare = importShare(party, response.share);
  checkSignature(party, "response", peerKey, suite.sha384(attempt.init, response.signed), response.signature);
  const unsigned = encodeFinalUnsigned(response.handshakeId);
  // H3 = SHA-384(init ‖ response ‖ all bytes above the signature)
  const final = withSignature(party, "final", unsigned, suite.sha384(attempt.init, payload, unsigned));
  const sharedSecret = suite.agree(attempt.ephemeral.privateKey, peerShare);
  suite.wipe(attempt.ephemeral.privateKey);
  const transcript = concatBytes(attempt.init, payload);
  return { final, keys: sessionKeys(party, sharedSecret, transcript, attempt.handshakeId) };
}

function verifyFinal(party: Party, pending: PendingHandshake, final: ChannelFinal): void {
  const transcriptHash = party.suite.sha384(pending.transcript, final.signed);
  checkSignature(party, "final", pending.peerKey, transcriptHash, final.signature);
}

function sessionKeys(party: Party, sharedSecret: Uint8Array, transcript: Uint8Array, handshakeId: string): SessionKeys {
  const { suite, self, peer } = party;
  const { send, receive } = deriveKeys(suite, sharedSecret, transcript, { self: self.id, peer });
  return {
    send: new SendKey(suite, recordFormatV2, send),
    receive: new ReceiveKey(suite, recordFormatV2, receive, handshakeId),
  };
}

/** §2: the first 8 bytes of SHA-384(init), the whole init with its signature. */
function handshakeIdOf({ suite }: Party, init: Uint8Array): string {
  return hex(suite.sha384(init).subarray(0, HANDSHAKE_ID_BYTES));
}

/** §3: endorsed by the service directly, and the certificate of the very node this channel is for. */
function checkCertificate(party: Party, certificate: Uint8Array): PublicKey {
  const publicKey = endorsedKey(party, certificate, NODE_CURVES);
  // Without this any endorsed node could pass as any other: a leaked key would be worth all identities.
  if (spkiHash(party.suite, publicKey.spki) !== party.peer) throw new HandshakeError("identity-mismatch");
  return publicKey;
}

/** §3: on the curve and not the identity, before it meets any private key. */
function importShare({ suite }: Party, share: Uint8Array): PublicKey {
  try {
    return suite.importPoint(SHARE_CURVE, share);
  } catch (error) {
    if (error instanceof CryptoError) throw new HandshakeError("bad-share", { cause: error });
    throw error;
  }
}

/** §1: "sealane/channel/2/" ‖ role ‖ 0x00 ‖ transcript hash. */
function signedBytes(role: Role, transcriptHash: Uint8Array): Uint8Array {
  return concatBytes(utf8(`sealane/channel/2/${role}\0`), transcriptHash);
}

function withSignature(
  { suite, self }: Party,
  role: Role,
  unsigned: Uint8Array,
  transcriptHash: Uint8Array,
): Uint8Array {
  return concatBytes(unsigned, suite.sign(self.keyPair.privateKey, signedBytes(role, transcriptHash)));
}

function checkSignature(
  { suite }: Party,
  role: Role,
  key: PublicKey,
  transcriptHash: Uint8Array,
  signature: Uint8Array,
): void {
  // r and s are as long as a coordinate of the signer's curve: the point is 0x04 ‖ X ‖ Y.
  if (signature.length !== key.point.length - 1) throw new HandshakeError("signature-length");
  if (!suite.verify(key, signedBytes(role, transcriptHash), signature)) throw new HandshakeError("bad-signature");
}
