/** The small reader of certificates and the full one of `@sealane/crypto` come to the same verdicts, on real certificates and changed ones. */
import { type Certificate, CertificateError, parseCertificate, pemDecode, verifyEndorsement } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { equalBytes } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { suiteCrypto } from "../src/receipt/receipt-crypto.js";
import { isSignedBy, readCertificate } from "../src/receipt/x509.js";
import { node, service } from "./fixture.js";
import { ABSENT, CCF_LEDGERS, ccfLedgersPresent, receiptsOf, serviceCertificatesOf } from "./shared.js";

const crypto = suiteCrypto(suite);
const leaves = [pemDecode("CERTIFICATE", node.certificatePem)];
const services = [service.certificate];
if (!ccfLedgersPresent) test.skip(ABSENT, () => {});
else {
  for (const name of CCF_LEDGERS) {
    services.push(...serviceCertificatesOf(name).map((pem) => pemDecode("CERTIFICATE", pem)));
    for (const { receipt } of receiptsOf(name)) leaves.push(pemDecode("CERTIFICATE", Reflect.get(receipt, "cert")));
  }
}

async function endorses(leafDer: Uint8Array, serviceDer: Uint8Array): Promise<boolean> {
  const [leaf, anchor] = [readCertificate(leafDer), readCertificate(serviceDer)];
  if (leaf?.isEndEntity !== true || anchor?.isAuthority !== true) return false;
  return isSignedBy(crypto, leaf, anchor);
}

function fullyEndorses(leafDer: Uint8Array, serviceDer: Uint8Array): boolean {
  try {
    verifyEndorsement(suite, leafDer, serviceDer, { curves: ["P-384", "P-256"] });
    return true;
  } catch (error) {
    if (error instanceof CertificateError) return false;
    throw error;
  }
}

test("who endorsed whom", async () => {
  let endorsed = 0;
  for (const leaf of [...leaves, ...services]) {
    for (const anchor of [...services, ...leaves]) {
      const expected = fullyEndorses(leaf, anchor);
      expect(await endorses(leaf, anchor)).toBe(expected);
      if (expected) endorsed++;
    }
  }
  expect(endorsed).toBeGreaterThanOrEqual(leaves.length);
});

describe("what the full reader takes from a certificate changed in one bit, the small one reads alike", () => {
  test.each([
    ["a node's", leaves[0] ?? new Uint8Array()],
    ["the service's", services[0] ?? new Uint8Array()],
  ])("%s", (_, der) => {
    let read = 0;
    for (let bit = 0; bit < 8 * der.length; bit += 3) {
      const flipped = der.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const full = parsed(flipped);
      if (full === undefined || full.extensions.some(({ critical, known }) => critical && !known)) continue;
      const small = readCertificate(flipped);
      if (small === undefined) throw new Error(`bit ${bit} is read by one only`);
      expect(small.isAuthority).toBe(full.isCa && full.keyUsage?.includes("keyCertSign") !== false);
      expect(equalBytes(small.tbs, full.tbs) && equalBytes(small.key.spki, full.publicKey.spki)).toBe(true);
      expect(equalBytes(small.subject, full.subjectDer) && equalBytes(small.issuer, full.issuerDer)).toBe(true);
      read++;
    }
    expect(read).toBeGreaterThan(50);
  });
});

function parsed(der: Uint8Array): Certificate | undefined {
  try {
    return parseCertificate(suite, der);
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}
