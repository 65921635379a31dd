/** A service and nodes endorsed by it, as the sides of a run are told of them: the same P-384 keys for our channel and for mutual TLS. */
import { createServiceIdentity, endorse, pemEncode, spkiHash } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { base64 } from "@sealane/wire";

/** Travels between processes as JSON. A benchmark's keys: worth nothing. */
export interface Identity {
  readonly id: string;
  /** PEM. */
  readonly certificate: string;
  readonly privateKey: string;
  readonly serviceCertificate: string;
  /** DER in base64. */
  readonly certificateDer: string;
  readonly privateKeyDer: string;
  readonly serviceCertificateDer: string;
}

const TIMES = { notBefore: new Date("2025-01-01"), notAfter: new Date("2045-01-01") };

export function makeIdentities(count: number): Identity[] {
  const service = createServiceIdentity(suite, { name: "bench", ...TIMES });
  return Array.from({ length: count }, () => {
    const { publicKey, privateKey } = suite.generateKeyPair("P-384");
    const id = spkiHash(suite, publicKey.spki);
    const hosts = ["127.0.0.1", "localhost"];
    const certificate = endorse(suite, service, { publicKey, name: id, hosts, ...TIMES });
    const pkcs8 = suite.exportPrivateKey(privateKey);
    return {
      id,
      certificate: pemEncode("CERTIFICATE", certificate),
      privateKey: pemEncode("PRIVATE KEY", pkcs8),
      serviceCertificate: pemEncode("CERTIFICATE", service.certificate),
      certificateDer: base64(certificate),
      privateKeyDer: base64(pkcs8),
      serviceCertificateDer: base64(service.certificate),
    };
  });
}
