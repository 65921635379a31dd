import { id_ecdsaWithSHA1, id_ecdsaWithSHA256 } from "@peculiar/asn1-ecc";
import { OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  ExtendedKeyUsage,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  Name,
  RelativeDistinguishedName,
  type TBSCertificate,
  Time,
  Version,
} from "@peculiar/asn1-x509";
import { describe, expect, test } from "vitest";
import { forge, leaf, node, service, suite, times, withExtension } from "../test/forge.js";
import { CERTIFICATE_BYTES_MAX, parseCertificate } from "./certificate.js";
import { createSelfSigned, createServiceIdentity, endorse } from "./certificate-create.js";

describe("reading", () => {
  test("an endorsed certificate says what it was made to say", () => {
    const certificate = parseCertificate(suite, leaf);
    const anchor = parseCertificate(suite, service.certificate);
    expect(certificate).toMatchObject({
      subject: "a node",
      issuer: "Test service",
      isCa: false,
      keyUsage: ["digitalSignature"],
      extendedKeyUsage: ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
      hosts: ["127.0.0.1", "::1", "localhost"],
      signatureHash: "SHA-384",
      ...times,
    });
    expect(certificate.publicKey.spki).toEqual(node.publicKey.spki);
    expect(certificate.issuerDer).toEqual(anchor.subjectDer);
    expect(certificate.authority.keyId).toEqual(anchor.subjectKeyId);
    expect(certificate.serialNumber.length).toBe(16);
    expect(anchor).toMatchObject({
      subject: "Test service",
      isCa: true,
      keyUsage: ["digitalSignature", "keyCertSign"],
    });
    expect(certificate.extensions.every(({ known }) => known)).toBe(true);
  });

  test("the certificate is copied: the caller's buffer may be used again", () => {
    const buffer = leaf.slice();
    const certificate = parseCertificate(suite, buffer);
    buffer.fill(0);
    expect(certificate.der).toEqual(leaf);
    expect(certificate.publicKey.point).toEqual(node.publicKey.point);
    expect(new TextDecoder().decode(certificate.tbs)).toContain("a node");
  });

  test("a name without a common name is shown as hex", () => {
    const organisation = new AttributeTypeAndValue({
      type: "2.5.4.10",
      value: new AttributeValue({ utf8String: "Sealane" }),
    });
    const der = forge((tbs) => {
      tbs.subject = new Name([new RelativeDistinguishedName([organisation])]);
    });
    expect(parseCertificate(suite, der).subject).toMatch(/^30[0-9a-f]+$/);
  });

  test("years after 2049 are read and written", () => {
    const notAfter = new Date("2060-01-01T00:00:00Z");
    const der = createSelfSigned(suite, node, { name: "n", hosts: [], notBefore: times.notBefore, notAfter });
    expect(parseCertificate(suite, der).notAfter).toEqual(notAfter);
  });
});

describe("refusing", () => {
  const refused: readonly (readonly [string, string, () => Uint8Array])[] = [
    ["malformed", "no bytes", () => new Uint8Array()],
    ["malformed", "random bytes", () => suite.randomBytes(400)],
    ["malformed", "another structure", () => node.publicKey.spki],
    ["malformed", "a cut certificate", () => leaf.subarray(0, -1)],
    ["malformed", "nesting without end", () => new Uint8Array(CERTIFICATE_BYTES_MAX).fill(0x30)],
    [
      "malformed",
      "indefinite lengths without end",
      () => Uint8Array.from({ length: 8_000 }, (_, i) => (i % 2 ? 0x80 : 0x30)),
    ],
    ["too-large", "a certificate over the bound", () => new Uint8Array(CERTIFICATE_BYTES_MAX + 1)],
    ["not-canonical", "a byte behind the end", () => Uint8Array.of(...leaf, 0)],
    ["unsupported-version", "version 1", () => forge((tbs) => Object.assign(tbs, { version: Version.v1 }))],
    ["unsupported-version", "version 4", () => forge((tbs) => Object.assign(tbs, { version: 3 }))],
    [
      "unsupported-algorithm",
      "SHA-1",
      () => forge(bothAlgorithms(new AlgorithmIdentifier({ algorithm: id_ecdsaWithSHA1 }))),
    ],
    [
      "unsupported-algorithm",
      "signature parameters",
      () => forge(bothAlgorithms(new AlgorithmIdentifier({ algorithm: id_ecdsaWithSHA256, parameters: NULL }))),
    ],
    [
      "malformed",
      "two different signature algorithms",
      () =>
        forge((tbs) => Object.assign(tbs, { signature: new AlgorithmIdentifier({ algorithm: id_ecdsaWithSHA256 }) })),
    ],
    [
      "unsupported-algorithm",
      "a key that is not an elliptic-curve key",
      () => forge(keyAlgorithm("1.2.840.113549.1.1.1", NULL)),
    ],
    [
      "unsupported-curve",
      "a key on P-521",
      () => forge(keyAlgorithm("1.2.840.10045.2.1", Uint8Array.of(6, 5, 0x2b, 0x81, 4, 0, 0x23).buffer)),
    ],
    ["bad-public-key", "a key off its curve", () => forge((tbs) => flip(tbs.subjectPublicKeyInfo.subjectPublicKey))],
    [
      "bad-public-key",
      "a compressed key",
      () =>
        forge(({ subjectPublicKeyInfo: key }) =>
          Object.assign(key, { subjectPublicKey: key.subjectPublicKey.slice(0, 49) }),
        ),
    ],
    [
      "bad-validity",
      "an end before the beginning",
      () => forge((tbs) => Object.assign(tbs.validity, { notAfter: new Time("2023-01-01") })),
    ],
    [
      "bad-validity",
      "a generalized time before 2050",
      () => forge((tbs) => Object.assign(tbs.validity, { notAfter: generalized("2034-01-01") })),
    ],
    [
      "bad-validity",
      "a fraction of a second",
      () => forge((tbs) => Object.assign(tbs.validity, { notAfter: generalized("2060-01-01T00:00:00.5Z") })),
    ],
    ["malformed", "a negative serial number", () => forge(serial(0x80, 1))],
    ["malformed", "serial number zero", () => forge(serial(0))],
    ["malformed", "a serial number of 21 bytes", () => forge(serial(...new Array<number>(21).fill(1)))],
    ["not-canonical", "a serial number with a leading zero", () => forge(serial(0, 1))],
    ["malformed", "two attributes in one step of a name", () => forge((tbs) => void tbs.subject[0]?.push(attribute()))],
    [
      "malformed",
      "an attribute that is not a string",
      () =>
        forge((tbs) =>
          Object.assign(tbs, { subject: nameOf(new AttributeValue({ anyValue: Uint8Array.of(1, 1, 0xff).buffer })) }),
        ),
    ],
    [
      "duplicate-extension",
      "an extension twice",
      () => forge(({ extensions }) => void extensions?.push(...extensions.slice(0, 1))),
    ],
    [
      "bad-extension",
      "basic constraints that are none",
      () => forge(withExtension(id_ce_basicConstraints, new OctetString([1]))),
    ],
    [
      "bad-extension",
      "bytes behind basic constraints",
      () => forge(withExtension(id_ce_basicConstraints, Uint8Array.of(0x30, 0, 0))),
    ],
    [
      "bad-extension",
      "an explicit default in basic constraints",
      () => forge(withExtension(id_ce_basicConstraints, Uint8Array.of(0x30, 3, 1, 1, 0))),
    ],
    [
      "bad-extension",
      "a path length without being an authority",
      () => forge(withExtension(id_ce_basicConstraints, new BasicConstraints({ pathLenConstraint: 0 }))),
    ],
    ["bad-extension", "a key usage without a bit", () => forge(withExtension(id_ce_keyUsage, Uint8Array.of(3, 1, 0)))],
    [
      "bad-extension",
      "a key usage with trailing zero bits",
      () => forge(withExtension(id_ce_keyUsage, Uint8Array.of(3, 2, 0, 0x80))),
    ],
    [
      "bad-extension",
      "an empty extended key usage",
      () => forge(withExtension(id_ce_extKeyUsage, new ExtendedKeyUsage())),
    ],
    ["bad-extension", "an address of five octets", () => forge(withExtension(id_ce_subjectAltName, address(5)))],
    ["bad-extension", "an address range", () => forge(withExtension(id_ce_subjectAltName, address(8)))],
  ];

  test.each(refused)("%s: %s", (code, _, make) => {
    expect(() => parseCertificate(suite, make())).toThrow(expect.objectContaining({ name: "CertificateError", code }));
  });

  test("a signature is not checked here: reading trusts nobody", () => {
    const der = forge(() => undefined, { issuer: node });
    expect(parseCertificate(suite, der).subject).toBe("a node");
  });

  test("an unknown extension is reported, whatever is in it", () => {
    const der = forge(withExtension("1.2.3.4", Uint8Array.of(1, 2, 3), true));
    expect(parseCertificate(suite, der).extensions.at(-1)).toEqual({ oid: "1.2.3.4", critical: true, known: false });
  });
});

describe("making", () => {
  const good = { publicKey: node.publicKey, name: "n", hosts: ["localhost"], ...times };

  test.each([
    ["no name", { name: "" }],
    ["a name of 65 characters", { name: "x".repeat(65) }],
    ["a control character in the name", { name: "a\nb" }],
    ["a lone surrogate in the name", { name: "\ud800" }],
    ["an end before the beginning", { notAfter: new Date("2020-01-01") }],
    ["an invalid date", { notBefore: new Date(Number.NaN) }],
    ["a year before 1950", { notBefore: new Date("1949-12-31") }],
    ["a year after 9999", { notAfter: new Date(8.64e15) }],
    ["a host with a port", { hosts: ["localhost:80"] }],
    ["17 hosts", { hosts: new Array<string>(17).fill("localhost") }],
  ])("refuses %s", (_, change) => {
    expect(() => endorse(suite, service, { ...good, ...change })).toThrow(RangeError);
  });

  test("the bounds themselves hold: a name of 64 characters and 16 hosts of 253", () => {
    const host = `${"a".repeat(61)}.`.repeat(4).slice(0, -1).padEnd(253, "b").slice(0, 253);
    const hosts = new Array<string>(16).fill(
      [host.slice(0, 61), host.slice(62, 123), "c".repeat(63), "d".repeat(63)].join("."),
    );
    const der = endorse(suite, service, { ...good, name: "é".repeat(64), hosts });
    expect(der.length).toBeLessThanOrEqual(CERTIFICATE_BYTES_MAX);
    expect(parseCertificate(suite, der).hosts).toEqual(hosts);
  });

  test("only an authority can endorse, and only with its own key", () => {
    expect(() => endorse(suite, { keyPair: node, certificate: leaf }, good)).toThrow(
      expect.objectContaining({ code: "anchor-not-ca" }),
    );
    expect(() => endorse(suite, { ...service, keyPair: node }, good)).toThrow(TypeError);
  });

  test("a P-256 service and a P-256 node work alike", () => {
    const small = createServiceIdentity(suite, { name: "small", curve: "P-256", ...times });
    const der = endorse(suite, small, { ...good, publicKey: suite.generateKeyPair("P-256").publicKey });
    expect(parseCertificate(suite, der)).toMatchObject({ signatureHash: "SHA-256", publicKey: { curve: "P-256" } });
    expect(parseCertificate(suite, small.certificate).signatureHash).toBe("SHA-256");
  });

  test("serial numbers differ", () => {
    const [a, b] = [endorse(suite, service, good), endorse(suite, service, good)].map((der) =>
      parseCertificate(suite, der),
    );
    expect(a?.serialNumber).not.toEqual(b?.serialNumber);
  });
});

const NULL = Uint8Array.of(5, 0).buffer;

function bothAlgorithms(algorithm: AlgorithmIdentifier): Parameters<typeof forge>[0] {
  return (tbs, certificate) => {
    tbs.signature = algorithm;
    certificate.signatureAlgorithm = algorithm;
  };
}

function keyAlgorithm(algorithm: string, parameters: ArrayBuffer): (tbs: TBSCertificate) => void {
  return (tbs) => {
    tbs.subjectPublicKeyInfo.algorithm = new AlgorithmIdentifier({ algorithm, parameters });
  };
}

function serial(...bytes: readonly number[]): (tbs: TBSCertificate) => void {
  return (tbs) => {
    tbs.serialNumber = Uint8Array.from(bytes).buffer;
  };
}

function flip(point: ArrayBuffer): void {
  const bytes = new Uint8Array(point);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
}

function generalized(text: string): Time {
  const time = new Time();
  time.generalTime = new Date(text);
  return time;
}

function attribute(): AttributeTypeAndValue {
  return new AttributeTypeAndValue({ type: "2.5.4.10", value: new AttributeValue({ utf8String: "Sealane" }) });
}

function nameOf(value: AttributeValue): Name {
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: "2.5.4.3", value })])]);
}

/** A subject alternative name with one IP address of `octets` octets; by hand, since the library refuses to write it. */
function address(octets: number): Uint8Array {
  return Uint8Array.of(0x30, octets + 2, 0x87, octets, ...new Array<number>(octets).fill(255));
}
