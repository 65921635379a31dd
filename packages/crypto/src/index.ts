/** Entry point `@sealane/crypto`: everything that runs without Node. */

export {
  type AuthorityReference,
  CERTIFICATE_BYTES_MAX,
  type Certificate,
  type CertificateExtension,
  type KeyUsageName,
  parseCertificate,
} from "./certificate.js";
export {
  type CertificateTimes,
  createSelfSigned,
  createServiceIdentity,
  type EndorseOptions,
  endorse,
  endorseService,
  type ServiceIdentity,
  type ServiceOptions,
  type SubjectOptions,
} from "./certificate-create.js";
export { type EndorsementOptions, verifyEndorsement } from "./endorsement.js";
export { EndorsementCache, type VerifiedPair } from "./endorsement-cache.js";
export { CertificateError, type CertificateErrorCode, CryptoError, type CryptoErrorCode } from "./errors.js";
export { type KeyWrapping, WRAPPED_SECRET_BYTES_MAX, type WrappingKeyPair } from "./key-wrapping.js";
export { nobleSuite } from "./noble-suite.js";
export { pemDecode, pemEncode } from "./pem.js";
export { signatureFromDer, signatureToDer } from "./signature-encoding.js";
export { spkiHash } from "./spki-hash.js";
export {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES_MAX,
  AEAD_NONCE_BYTES_MIN,
  AEAD_TAG_BYTES,
  type AeadKey,
  type CryptoSuite,
  type Curve,
  type HashName,
  type KeyPair,
  type PrivateKey,
  type PublicKey,
  RANDOM_BYTES_MAX,
  type SealedBytes,
} from "./suite.js";
export { withRandom } from "./with-random.js";
