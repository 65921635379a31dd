/** {@link KeyWrapping} on `node:crypto`. */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from "node:crypto";
import { CryptoError } from "./errors.js";
import { checkSecretLength, type KeyWrapping } from "./key-wrapping.js";

const MODULUS_BITS = 2_048;
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" } as const;

export const nativeKeyWrapping: KeyWrapping = {
  generateKeyPair: () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: MODULUS_BITS });
    return {
      publicKey: publicKey.export({ format: "pem", type: "spki" }).toString(),
      privateKey: new Uint8Array(privateKey.export({ format: "der", type: "pkcs8" })),
    };
  },
  wrap: (publicKey, secret) => {
    checkSecretLength(secret);
    return new Uint8Array(publicEncrypt({ key: importPublic(publicKey), ...OAEP }, secret));
  },
  unwrap: (privateKey, wrapped) => {
    const { buffer, byteOffset, byteLength } = privateKey;
    const key = createPrivateKey({ key: Buffer.from(buffer, byteOffset, byteLength), format: "der", type: "pkcs8" });
    try {
      return new Uint8Array(privateDecrypt({ key, ...OAEP }, wrapped));
    } catch {
      return undefined;
    }
  },
};

function importPublic(pem: string): KeyObject {
  // Only this form: OpenSSL would also take the public half of a private key or of a certificate.
  if (!pem.startsWith("-----BEGIN PUBLIC KEY-----")) throw new CryptoError("malformed", "encryption key");
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    throw new CryptoError("malformed", "encryption key");
  }
  if (key.asymmetricKeyType !== "rsa" || key.asymmetricKeyDetails?.modulusLength !== MODULUS_BITS) {
    throw new CryptoError("unsupported-algorithm", "encryption key");
  }
  return key;
}
