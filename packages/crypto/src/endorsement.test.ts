import { AsnConvert } from "@peculiar/asn1-schema";
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  ExtendedKeyUsage,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_codeSigning,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  SubjectKeyIdentifier,
} from "@peculiar/asn1-x509";
import { describe, expect, test } from "vitest";
import { forge, leaf, node, service, suite, times, withExtension } from "../test/forge.js";
import { parseCertificate } from "./certificate.js";
import { createSelfSigned, createServiceIdentity, endorse } from "./certificate-create.js";
import { type EndorsementOptions, verifyEndorsement } from "./endorsement.js";
import { EndorsementCache } from "./endorsement-cache.js";
import type { CertificateErrorCode } from "./errors.js";
import { nobleSuite } from "./noble-suite.js";
import type { CryptoSuite } from "./suite.js";

const anchor = service.certificate;

describe("an endorsed certificate", () => {
  test("is believed, in every suite", () => {
    for (const each of [suite, nobleSuite]) {
      const certificate = verifyEndorsement(each, leaf, anchor);
      expect(certificate.publicKey.spki).toEqual(node.publicKey.spki);
      expect(certificate.subject).toBe("a node");
    }
  });

  test("is believed whatever the time, unless a time is given", () => {
    const begin = times.notBefore.getTime();
    const end = times.notAfter.getTime();
    expect(verify(leaf, anchor)).toBe("accepted");
    for (const nowMs of [begin, end, end + 999]) expect(verify(leaf, anchor, { nowMs })).toBe("accepted");
    for (const nowMs of [0, begin - 1]) expect(verify(leaf, anchor, { nowMs })).toBe("not-yet-valid");
    expect(verify(leaf, anchor, { nowMs: end + 1_000 })).toBe("expired");
  });

  test("is no longer believed when the service certificate has expired first", () => {
    const short = createServiceIdentity(suite, { ...times, name: "short", notAfter: new Date("2025-01-01T00:00:00Z") });
    const der = endorse(suite, short, { publicKey: node.publicKey, name: "n", hosts: [], ...times });
    expect(verify(der, short.certificate, { nowMs: Date.parse("2024-06-01") })).toBe("accepted");
    expect(verify(der, short.certificate, { nowMs: Date.parse("2026-01-01") })).toBe("expired");
  });

  test("must have its key on an allowed curve: P-384 alone unless said otherwise", () => {
    const { publicKey } = suite.generateKeyPair("P-256");
    const der = endorse(suite, service, { publicKey, name: "n", hosts: [], ...times });
    expect(verify(der, anchor)).toBe("unsupported-curve");
    expect(verify(der, anchor, { curves: ["P-384", "P-256"] })).toBe("accepted");
    expect(verify(leaf, anchor, { curves: ["P-256"] })).toBe("unsupported-curve");
    expect(verify(leaf, anchor, { curves: [] })).toBe("unsupported-curve");
  });

  test("may leave out its optional extensions", () => {
    for (const id of [id_ce_basicConstraints, id_ce_keyUsage, id_ce_extKeyUsage, id_ce_subjectAltName]) {
      expect(verify(forge(withExtension(id, undefined)), anchor)).toBe("accepted");
    }
    expect(verify(forge(withExtension(id_ce_authorityKeyIdentifier, undefined)), anchor)).toBe("accepted");
    expect(
      verify(
        forge((tbs) => Reflect.deleteProperty(tbs, "extensions")),
        anchor,
      ),
    ).toBe("accepted");
  });

  test("may name its issuer by name and serial number too", () => {
    const { subjectDer, serialNumber, subjectKeyId } = parseCertificate(suite, anchor);
    const other = serialNumber.slice().reverse();
    expect(verify(forge(authority({ keyId: subjectKeyId, issuer: subjectDer, serial: serialNumber })), anchor)).toBe(
      "accepted",
    );
    expect(verify(forge(authority({ serial: other })), anchor)).toBe("authority-key-mismatch");
    const { subjectDer: stranger } = parseCertificate(suite, leaf);
    expect(verify(forge(authority({ issuer: stranger })), anchor)).toBe("authority-key-mismatch");
  });
});

describe("is refused", () => {
  const impostor = createServiceIdentity(suite, { name: "Test service", ...times });
  const renamed = createServiceIdentity(suite, { name: "Another service", ...times });
  const good = { publicKey: node.publicKey, name: "n", hosts: [], ...times };
  const anchorWith = (id: string, value: object | undefined, critical = false) =>
    forge(withExtension(id, value, critical), { der: anchor });

  const refused: readonly (readonly [CertificateErrorCode, string, () => readonly [Uint8Array, Uint8Array]])[] = [
    ["malformed", "bytes that are no certificate", () => [new Uint8Array(10), anchor]],
    ["malformed", "a service certificate that is none", () => [leaf, new Uint8Array(10)]],
    ["not-canonical", "a second certificate behind the first", () => [Uint8Array.of(...leaf, ...anchor), anchor]],
    ["issuer-mismatch", "a certificate of another service", () => [endorse(suite, renamed, good), anchor]],
    [
      "authority-key-mismatch",
      "a certificate of a service with the same name",
      () => [endorse(suite, impostor, good), anchor],
    ],
    [
      "bad-signature",
      "one that claims our service's key too",
      () => [forge(() => undefined, { issuer: impostor.keyPair }), anchor],
    ],
    ["bad-signature", "a changed certificate", () => [replaced(leaf, "a node", "b node"), anchor]],
    ["bad-signature", "a signature that is none", () => [unsigned(), anchor]],
    ["issuer-mismatch", "a self-signed certificate", () => [createSelfSigned(suite, node, good), anchor]],
    ["not-end-entity", "the service certificate itself", () => [anchor, anchor]],
    [
      "not-end-entity",
      "a certificate authority below the service",
      () => [forge(withExtension(id_ce_basicConstraints, new BasicConstraints({ cA: true }), true)), anchor],
    ],
    [
      "not-end-entity",
      "one that may sign certificates",
      () => [forge(usage(KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature)), anchor],
    ],
    [
      "issuer-mismatch",
      "one issued by an endorsed node",
      () => [forge((tbs) => Object.assign(tbs, { issuer: tbs.subject }), { issuer: node }), anchor],
    ],
    ["anchor-not-ca", "one issued by an endorsed node as the anchor", () => [leaf, leaf]],
    [
      "anchor-not-ca",
      "an anchor without basic constraints",
      () => [leaf, anchorWith(id_ce_basicConstraints, undefined)],
    ],
    [
      "anchor-not-ca",
      "an anchor that may not sign certificates",
      () => [leaf, anchorWith(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true)],
    ],
    ["wrong-usage", "one that may not sign", () => [forge(usage(KeyUsageFlags.keyAgreement)), anchor]],
    [
      "wrong-usage",
      "one for signing code",
      () => [forge(withExtension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_codeSigning]))), anchor],
    ],
    [
      "unknown-critical-extension",
      "one with a critical extension nobody knows",
      () => [forge(withExtension("1.2.3.4", Uint8Array.of(5, 0), true)), anchor],
    ],
    [
      "unknown-critical-extension",
      "an anchor with critical name constraints",
      () => [leaf, anchorWith("2.5.29.30", Uint8Array.of(0x30, 0), true)],
    ],
    [
      "authority-key-mismatch",
      "one that names a key, of an anchor that names none",
      () => [leaf, anchorWith(id_ce_subjectKeyIdentifier, undefined)],
    ],
    [
      "authority-key-mismatch",
      "one that names another key",
      () => [leaf, anchorWith(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(new ArrayBuffer(20)))],
    ],
  ];

  test.each(refused)("%s: %s", (code, _, make) => {
    const cache = new EndorsementCache();
    const [leafDer, anchorDer] = make();
    expect(verify(leafDer, anchorDer, { cache })).toBe(code);
    expect(cache.size).toBe(0);
  });

  test("a bit flipped in any byte is refused", { timeout: 60_000 }, () => {
    for (let at = 0; at < leaf.length; at++) {
      const changed = leaf.slice();
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      expect(verify(changed, anchor), `byte ${at}`).not.toBe("accepted");
    }
  });

  test("every prefix is refused", () => {
    for (let length = 0; length < leaf.length; length += 7)
      expect(verify(leaf.subarray(0, length), anchor)).toBe("malformed");
  });
});

describe("the cache", () => {
  test("saves the signature check, and only that", () => {
    const cache = new EndorsementCache();
    let verified = 0;
    const counting: CryptoSuite = {
      ...suite,
      verify: (...input) => {
        verified++;
        return suite.verify(...input);
      },
    };
    const check = (options: EndorsementOptions) => verifyEndorsement(counting, leaf, anchor, { cache, ...options });
    const first = check({});
    expect(check({})).toBe(first);
    expect(verified).toBe(1);
    expect(() => check({ nowMs: 0 })).toThrow(expect.objectContaining({ code: "not-yet-valid" }));
    expect(() => check({ curves: ["P-256"] })).toThrow(expect.objectContaining({ code: "unsupported-curve" }));
    cache.clear();
    check({});
    expect(verified).toBe(2);
  });

  test("reads a service certificate once, whoever shows what, and checks its times whenever asked", () => {
    const cache = new EndorsementCache();
    let imported = 0;
    const counting: CryptoSuite = {
      ...suite,
      importPublicKey: (spki) => {
        imported++;
        return suite.importPublicKey(spki);
      },
    };
    const check = (der: Uint8Array, options: EndorsementOptions) =>
      verifyEndorsement(counting, der, anchor, { cache, ...options });
    check(leaf, {});
    expect(imported).toBe(2);
    const other = endorse(suite, service, { publicKey: node.publicKey, name: "n", hosts: [], ...times });
    check(other, {});
    expect(imported).toBe(3);
    const afterMs = times.notAfter.getTime() + 1_000;
    expect(() => check(other, { nowMs: afterMs })).toThrow(expect.objectContaining({ code: "expired" }));
    cache.clear(); // forgets verdicts; what the bytes say stays
    check(leaf, {});
    expect(imported).toBe(4);
  });

  test("keeps nothing of a service certificate that cannot be read, and no more than four that can", () => {
    const cache = new EndorsementCache();
    for (let n = 0; n < 2; n++) {
      expect(() => cache.anchor(suite, anchor.subarray(1))).toThrow(expect.objectContaining({ code: "malformed" }));
    }
    const first = cache.anchor(suite, anchor);
    expect(cache.anchor(suite, anchor.slice())).toBe(first);
    for (let n = 0; n < 4; n++)
      cache.anchor(suite, createServiceIdentity(suite, { name: `${n}`, ...times }).certificate);
    expect(cache.anchor(suite, anchor)).not.toBe(first);
  });

  test("a hit needs both certificates: a leaf is not believed under another anchor", () => {
    const cache = new EndorsementCache();
    const other = createServiceIdentity(suite, { name: "Test service", ...times });
    expect(verify(leaf, anchor, { cache })).toBe("accepted");
    expect(verify(leaf, other.certificate, { cache })).toBe("authority-key-mismatch");
  });

  test("at its bound the least recently used goes", () => {
    const cache = new EndorsementCache(2);
    const pair = { leaf: parseCertificate(suite, leaf), service: parseCertificate(suite, anchor) };
    const key = (n: number) => [suite, Uint8Array.of(n), anchor] as const;
    cache.add(...key(1), pair);
    cache.add(...key(2), pair);
    expect(cache.get(...key(1))).toBe(pair);
    cache.add(...key(3), pair);
    expect(cache.size).toBe(2);
    expect([1, 2, 3].map((n) => cache.get(...key(n)) === pair)).toEqual([true, false, true]);
  });

  test.each([0, -1, 1.5, Number.NaN])("cannot hold %s entries", (entriesMax) => {
    expect(() => new EndorsementCache(entriesMax)).toThrow(RangeError);
  });
});

function verify(leafDer: Uint8Array, anchorDer: Uint8Array, options?: EndorsementOptions): string {
  try {
    verifyEndorsement(suite, leafDer, anchorDer, options);
    return "accepted";
  } catch (error) {
    if (error instanceof Error && error.name === "CertificateError" && "code" in error) return String(error.code);
    throw error;
  }
}

function usage(flags: number): ReturnType<typeof withExtension> {
  return withExtension(id_ce_keyUsage, new KeyUsage(flags), true);
}

function authority(parts: { keyId?: Uint8Array | undefined; issuer?: Uint8Array; serial?: Uint8Array }) {
  const identifier = new AuthorityKeyIdentifier();
  if (parts.keyId !== undefined) identifier.keyIdentifier = new KeyIdentifier(parts.keyId.slice());
  if (parts.issuer !== undefined) {
    identifier.authorityCertIssuer = [new GeneralName({ directoryName: AsnConvert.parse(parts.issuer, Name) })];
  }
  if (parts.serial !== undefined) identifier.authorityCertSerialNumber = new Uint8Array(parts.serial).buffer;
  return withExtension(id_ce_authorityKeyIdentifier, identifier);
}

function unsigned(): Uint8Array {
  const { signature } = parseCertificate(suite, leaf);
  const changed = leaf.slice();
  changed.fill(0, leaf.length - signature.length);
  return changed;
}

function replaced(der: Uint8Array, before: string, after: string): Uint8Array {
  return Uint8Array.from(Buffer.from(Buffer.from(der).toString("latin1").replace(before, after), "latin1"));
}
