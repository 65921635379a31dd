/** Handshake messages as the specification writes them, made without the code under test, so that each part can be wrong on purpose. */
import type { CryptoSuite, KeyPair } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import {
  type ChannelInitFields,
  type ChannelResponseFields,
  concatBytes,
  encodeFinalUnsigned,
  encodeInitUnsigned,
  encodeResponseUnsigned,
  utf8,
} from "@sealane/wire";
import { other, type Side, type World } from "./harness.js";

export interface Forgery {
  readonly suite?: CryptoSuite;
  /** Who signs; the sender unless given. */
  readonly signer?: KeyPair;
  /** What stands in front of the hash. */
  readonly label?: string;
}

/** §1: "sealane/channel/2/" ‖ role ‖ 0x00 ‖ SHA-384(bytes before ‖ unsigned). */
export function sign(
  unsigned: Uint8Array,
  before: Uint8Array,
  label: string,
  signer: KeyPair,
  suite = nativeSuite,
): Uint8Array {
  const message = concatBytes(utf8(label), suite.sha384(before, unsigned));
  return concatBytes(unsigned, suite.sign(signer.privateKey, message));
}

export function forgeInit(
  world: World,
  from: Side,
  fields: Partial<ChannelInitFields> = {},
  forgery: Forgery = {},
): Uint8Array {
  const { suite = nativeSuite, signer = world[from].keyPair, label = "sealane/channel/2/init\0" } = forgery;
  const unsigned = encodeInitUnsigned({
    initiator: world[from].id,
    responder: world[other(from)].id,
    nonce: suite.randomBytes(32),
    share: suite.generateKeyPair("P-384").publicKey.point,
    certificate: world[from].certificate,
    ...fields,
  });
  return sign(unsigned, new Uint8Array(0), label, signer, suite);
}

export function forgeResponse(
  world: World,
  from: Side,
  init: Uint8Array,
  fields: Partial<ChannelResponseFields> = {},
  forgery: Forgery & { readonly signedInit?: Uint8Array } = {},
): Uint8Array {
  const { suite = nativeSuite, signer = world[from].keyPair, label = "sealane/channel/2/response\0" } = forgery;
  const unsigned = encodeResponseUnsigned({
    handshakeId: suite.sha384(init).subarray(0, 8),
    nonce: suite.randomBytes(32),
    share: suite.generateKeyPair("P-384").publicKey.point,
    certificate: world[from].certificate,
    ...fields,
  });
  return sign(unsigned, forgery.signedInit ?? init, label, signer, suite);
}

export function forgeFinal(
  world: World,
  from: Side,
  init: Uint8Array,
  response: Uint8Array,
  forgery: Forgery = {},
): Uint8Array {
  const { suite = nativeSuite, signer = world[from].keyPair, label = "sealane/channel/2/final\0" } = forgery;
  const unsigned = encodeFinalUnsigned(suite.sha384(init).subarray(0, 8));
  return sign(unsigned, concatBytes(init, response), label, signer, suite);
}
