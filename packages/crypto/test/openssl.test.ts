/** Certificates between us and OpenSSL, in both directions: its TLS accepts ours, and we accept what it makes. */

import { execFileSync } from "node:child_process";
import { createPublicKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  CertificateError,
  type Curve,
  createSelfSigned,
  createServiceIdentity,
  endorse,
  endorseService,
  nobleSuite,
  parseCertificate,
  pemDecode,
  pemEncode,
  verifyEndorsement,
} from "../src/index.js";
import { nativeSuite } from "../src/native.js";

const YEAR_MS = 365 * 86_400_000;
const times = { notBefore: new Date(Date.now() - YEAR_MS), notAfter: new Date(Date.now() + YEAR_MS) };

describe.each([nobleSuite, nativeSuite])("certificates of the $name suite", (suite) => {
  describe.each(["P-384", "P-256"] as const)("on %s", (curve: Curve) => {
    const service = createServiceIdentity(suite, { name: "Test service", curve, ...times });
    const node = suite.generateKeyPair(curve);
    const options = { publicKey: node.publicKey, name: "node", hosts: ["127.0.0.1", "::1", "localhost"], ...times };
    const endorsed = endorse(suite, service, options);
    const serviceX509 = new X509Certificate(service.certificate);

    test("OpenSSL reads them as we do", () => {
      const x509 = new X509Certificate(endorsed);
      expect(x509.checkIssued(serviceX509)).toBe(true);
      expect(x509.verify(serviceX509.publicKey)).toBe(true);
      expect(serviceX509.verify(serviceX509.publicKey)).toBe(true);
      expect([x509.ca, serviceX509.ca]).toEqual([false, true]);
      expect(x509.subject).toBe("CN=node");
      expect(x509.issuer).toBe("CN=Test service");
      expect(new Date(x509.validTo).getTime()).toBe(Math.floor(times.notAfter.getTime() / 1_000) * 1_000);
      expect([x509.checkIP("127.0.0.1"), x509.checkIP("::1"), x509.checkHost("localhost")]).not.toContain(undefined);
      expect([x509.checkIP("127.0.0.2"), x509.checkHost("example.org")]).toEqual([undefined, undefined]);
      expect(
        x509.publicKey.equals(createPublicKey({ key: Buffer.from(node.publicKey.spki), format: "der", type: "spki" })),
      ).toBe(true);
    });

    test.each(["127.0.0.1", "localhost"])("mutual TLS with ca = the service works, for %s", async (host) => {
      const ca = pemEncode("CERTIFICATE", service.certificate);
      const key = pemEncode("PRIVATE KEY", suite.exportPrivateKey(node.privateKey));
      const cert = pemEncode("CERTIFICATE", endorsed);
      expect(await handshake({ ca, key, cert }, { ca, key, cert }, host)).toEqual({ client: true, server: true });
    });

    test("TLS refuses a certificate of another service", async () => {
      const stranger = createServiceIdentity(suite, { name: "Test service", curve, ...times });
      const key = pemEncode("PRIVATE KEY", suite.exportPrivateKey(node.privateKey));
      const cert = pemEncode("CERTIFICATE", endorse(suite, stranger, options));
      const ca = pemEncode("CERTIFICATE", service.certificate);
      await expect(handshake({ ca, key, cert }, { ca }, "127.0.0.1")).rejects.toThrow(/verify|signature|certificate/);
    });

    test("a self-signed certificate serves TLS for one who pins it", async () => {
      const key = pemEncode("PRIVATE KEY", suite.exportPrivateKey(node.privateKey));
      const cert = pemEncode("CERTIFICATE", createSelfSigned(suite, node, { ...options, name: "node" }));
      expect(await handshake({ ca: cert, key, cert }, { ca: cert, key, cert }, "127.0.0.1")).toMatchObject({
        client: true,
      });
    });
  });
});

describe.skipIf(!hasOpenssl())("the openssl command (skipped where there is none)", () => {
  let folder = "";
  const openssl = (...words: string[]) => execFileSync("openssl", words, { cwd: folder, stdio: "pipe" }).toString();
  const readPem = (label: string, file: string) => pemDecode(label, readFileSync(join(folder, file), "latin1"));
  const suite = nativeSuite;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sealane-crypto-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("verifies our chain under its strict rules", () => {
    const service = createServiceIdentity(suite, { name: "Test service", ...times });
    const { publicKey } = suite.generateKeyPair("P-384");
    const endorsed = endorse(suite, service, { publicKey, name: "node", hosts: ["node.example"], ...times });
    writeFileSync(join(folder, "service.pem"), pemEncode("CERTIFICATE", service.certificate));
    writeFileSync(join(folder, "node.pem"), pemEncode("CERTIFICATE", endorsed));
    for (const purpose of ["sslserver", "sslclient"]) {
      const words = ["-x509_strict", "-check_ss_sig", "-purpose", purpose, "-CAfile", "service.pem", "node.pem"];
      expect(openssl("verify", ...words)).toContain("node.pem: OK");
    }
  });

  test("verifies a chain through the identities that a service had before, and none that is longer", () => {
    const identity = (name: string, pathLength: number) => createServiceIdentity(suite, { name, pathLength, ...times });
    const services = [identity("one", 0), identity("two", 1), identity("three", 2)] as const;
    const [first, second, third] = services;
    const { publicKey } = suite.generateKeyPair("P-384");
    const node = endorse(suite, first, { publicKey, name: "node", hosts: [], ...times });
    const links = [
      endorseService(suite, second, first.certificate, { pathLength: 0, ...times }),
      endorseService(suite, third, second.certificate, { pathLength: 1, ...times }),
    ];
    const pem = (der: Uint8Array) => pemEncode("CERTIFICATE", der);
    writeFileSync(join(folder, "node.pem"), pem(node));
    writeFileSync(join(folder, "links.pem"), links.map(pem).join(""));
    writeFileSync(join(folder, "third.pem"), pem(third.certificate));
    const words = ["-x509_strict", "-untrusted", "links.pem", "-CAfile", "third.pem", "node.pem"];
    expect(openssl("verify", ...words)).toContain("node.pem: OK");

    const short = endorseService(suite, third, second.certificate, { pathLength: 0, ...times });
    writeFileSync(join(folder, "links.pem"), [links[0] ?? node, short].map(pem).join(""));
    expect(() => openssl("verify", ...words)).toThrow();
    const service = createServiceIdentity(suite, { name: "s", ...times });
    expect(() => endorseService(suite, service, node, { pathLength: 0, ...times })).toThrow(CertificateError);
  });

  test("makes keys we read, and reads the ones we make", () => {
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "key.pem");
    const pkcs8 = readPem("PRIVATE KEY", "key.pem");
    for (const each of [nobleSuite, nativeSuite]) {
      const { privateKey, publicKey } = each.importPrivateKey(pkcs8);
      expect(each.exportPrivateKey(privateKey)).toEqual(pkcs8);
      writeFileSync(join(folder, "ours.pem"), pemEncode("PRIVATE KEY", each.exportPrivateKey(privateKey)));
      expect(openssl("pkey", "-in", "ours.pem", "-check", "-noout")).toContain("Key is valid");
      openssl("pkey", "-in", "ours.pem", "-pubout", "-out", "public.pem");
      expect(readPem("PUBLIC KEY", "public.pem")).toEqual(publicKey.spki);
    }
  });

  test("makes endorsements we believe, with every form of authority key identifier", () => {
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1", "-nodes", "-sha384"];
    const usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    openssl("req", "-x509", ...curve, ...usage, "-subj", "/O=Test/CN=service", "-keyout", "ca.key", "-out", "ca.pem");
    openssl("req", "-new", ...curve, "-subj", "/CN=node", "-keyout", "node.key", "-out", "node.csr");
    for (const authority of ["keyid", "issuer:always", "keyid:always,issuer:always"]) {
      const lines = [
        `authorityKeyIdentifier=${authority}`,
        "subjectAltName=IP:10.0.0.1,DNS:node.example,email:a@example.org",
      ];
      writeFileSync(join(folder, "node.cnf"), lines.join("\n"));
      const issue = ["-in", "node.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-sha384", "-extfile", "node.cnf"];
      openssl("x509", "-req", ...issue, "-days", "30", "-CAcreateserial", "-out", "endorsed.pem");
      const endorsed = readPem("CERTIFICATE", "endorsed.pem");
      const anchor = readPem("CERTIFICATE", "ca.pem");
      for (const each of [nobleSuite, nativeSuite]) {
        const certificate = verifyEndorsement(each, endorsed, anchor, { nowMs: Date.now() });
        expect(certificate).toMatchObject({ subject: "node", issuer: "service", hosts: ["10.0.0.1", "node.example"] });
      }
    }
  });

  test("makes RSA certificates, which are refused", () => {
    openssl(
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-subj",
      "/CN=rsa",
      "-keyout",
      "rsa.key",
      "-out",
      "rsa.pem",
    );
    const der = readPem("CERTIFICATE", "rsa.pem");
    expect(() => parseCertificate(suite, der)).toThrow(expect.objectContaining({ code: "unsupported-algorithm" }));
  });
});

interface TlsIdentity {
  readonly ca: string;
  readonly key?: string;
  readonly cert?: string;
}

/** One TLS 1.3 handshake on this machine. @returns Whether each end found the other's certificate to be right. */
async function handshake(
  serverIdentity: TlsIdentity,
  clientIdentity: TlsIdentity,
  host: string,
): Promise<{ client: boolean; server: boolean }> {
  const server = createServer({
    ...serverIdentity,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: "TLSv1.3",
  });
  const accepted = new Promise<TLSSocket>((resolve, reject) => {
    server.once("secureConnection", resolve);
    server.once("tlsClientError", reject);
  });
  accepted.catch(() => undefined); // the client's own error is the one that is reported
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A listening TCP server has an address of this form (node:net documentation).
  const { port } = server.address() as AddressInfo;
  const servername = host === "127.0.0.1" ? "" : host;
  // Node itself checks that the certificate names `servername`, or the address where there is none.
  const client = connect({ ...clientIdentity, host: "127.0.0.1", port, servername });
  try {
    await new Promise<void>((resolve, reject) => {
      client.once("secureConnect", resolve);
      client.once("error", reject);
    });
    const serverSide = await accepted;
    const result = { client: client.authorized, server: serverSide.authorized };
    serverSide.destroy();
    return result;
  } finally {
    client.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

function hasOpenssl(): boolean {
  try {
    return execFileSync("openssl", ["version"], { stdio: "pipe" }).toString().startsWith("OpenSSL 3");
  } catch {
    return false;
  }
}
