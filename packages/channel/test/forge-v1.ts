/** Handshake messages of version 1 as channel-v1-wire §3 writes them, made without the code under test, so that each part can be wrong on purpose. */
import { type KeyPair, pemEncode, signatureToDer } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { concatBytes, encodeHandshakeV1, utf8 } from "@sealane/wire";
import type { Side, World } from "./harness.js";

export interface FieldsV1 {
  readonly share: Uint8Array;
  /** What is signed; the share (init, final) or both shares, own first (response), unless given. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  /** PEM. */
  readonly certificate: Uint8Array;
  readonly salt: Uint8Array;
  readonly signer: KeyPair;
}

export const pemOf = (der: Uint8Array): Uint8Array => utf8(pemEncode("CERTIFICATE", der));
export const freshShare = (): Uint8Array =>
  concatBytes(Uint8Array.of(0x61), nativeSuite.generateKeyPair("P-384").publicKey.point);
export const signDer = (signer: KeyPair, bytes: Uint8Array): Uint8Array =>
  signatureToDer(nativeSuite.sign(signer.privateKey, bytes));

export function forgeInitV1(world: World, from: Side, fields: Partial<FieldsV1> = {}): Uint8Array {
  const { share = freshShare(), signer = world[from].keyPair, salt = nativeSuite.randomBytes(32) } = fields;
  const { signature = signDer(signer, fields.signed ?? share), certificate = pemOf(world[from].certificate) } = fields;
  return encodeHandshakeV1({ kind: "init", share, signature, certificate, salt });
}

/** @param initShare - The 98 bytes this responds to. */
export function forgeResponseV1(
  world: World,
  from: Side,
  initShare: Uint8Array,
  fields: Partial<FieldsV1> = {},
): Uint8Array {
  const { share = freshShare(), signer = world[from].keyPair } = fields;
  const { signed = concatBytes(share, initShare), certificate = pemOf(world[from].certificate) } = fields;
  return encodeHandshakeV1({
    kind: "response",
    share,
    signature: fields.signature ?? signDer(signer, signed),
    certificate,
  });
}

/** @param signed - The responder's share, if it is to hold. */
export function forgeFinalV1(signer: KeyPair, signed: Uint8Array): Uint8Array {
  return encodeHandshakeV1({ kind: "final", signature: signDer(signer, signed) });
}
