/** Compares a message of ours with the recorded one: every field, except signatures, which are verified over what channel-v1-wire §3.2 says. */
import { parseCertificate, pemDecode, signatureFromDer } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { concatBytes, decodeHandshakeV1, FRAME_CHANNEL, type FrameType, fromHex, hex } from "@sealane/wire";
import type { Message } from "./vectors.js";

export interface Sent {
  readonly frameType: FrameType;
  readonly payload: Uint8Array;
}

/**
 * @param received - The payload of the message that ours answers, if any: a response signs the init's share, a final the response's.
 * @returns What differs, in words; undefined when nothing does.
 */
export function compareMessage(
  { frameType, payload }: Sent,
  recorded: Message,
  certificatePem: string,
  received: Uint8Array | undefined,
): string | undefined {
  if (frameType !== recorded.msg_type) return `${recorded.id} has frame type ${frameType}, not ${recorded.msg_type}`;
  if (frameType !== FRAME_CHANNEL)
    return hex(payload) === recorded.payload ? undefined : `${recorded.id} has other bytes`;
  const ours = decodeHandshakeV1(payload);
  const theirs = decodeHandshakeV1(fromHex(recorded.payload));
  if (ours.kind !== theirs.kind) return `${recorded.id} is a ${ours.kind}, not a ${theirs.kind}`;
  for (const field of ["share", "certificate", "salt"] as const) {
    if (fieldOf(ours, field) !== fieldOf(theirs, field)) return `${recorded.id} has another ${field}`;
  }
  const signed = signedBytes(ours, received);
  const { publicKey } = parseCertificate(nativeSuite, pemDecode("CERTIFICATE", certificatePem));
  const holds =
    signed !== undefined &&
    nativeSuite.verify(publicKey, signed, signatureFromDer(ours.signature, publicKey.curve)) &&
    nativeSuite.verify(publicKey, signed, signatureFromDer(theirs.signature, publicKey.curve));
  return holds ? undefined : `${recorded.id} is signed otherwise`;
}

function fieldOf(message: ReturnType<typeof decodeHandshakeV1>, field: "share" | "certificate" | "salt"): string {
  const bytes: unknown = Reflect.get(message, field);
  return bytes instanceof Uint8Array ? hex(bytes) : "";
}

function signedBytes(
  message: ReturnType<typeof decodeHandshakeV1>,
  received: Uint8Array | undefined,
): Uint8Array | undefined {
  if (message.kind === "init") return message.share;
  const answered = received === undefined ? undefined : decodeHandshakeV1(received);
  if (answered === undefined || answered.kind === "final") return undefined;
  return message.kind === "response" ? concatBytes(message.share, answered.share) : answered.share;
}

/** For readers of the table. */
export function nameOf({ frameType, payload }: Sent): string {
  if (frameType !== FRAME_CHANNEL) return "a record";
  return { init: "an init", response: "a response", final: "a final" }[decodeHandshakeV1(payload).kind];
}
