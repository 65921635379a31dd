/** Certificates of real CCF services: those a service endorsed are believed under it alone. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CertificateError, parseCertificate, pemDecode, verifyEndorsement } from "../src/index.js";
import { nativeSuite as suite } from "../src/native.js";
import { sharedPath } from "./shared.js";

const PEM = /-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=\\]*?-----END CERTIFICATE-----/g;

for (const service of ["cose_flipflop_service", "double_sealed_service", "expired_service", "sgx_service"]) {
  const path = sharedPath(`ccf-ledgers/${service}`);
  if (path === undefined) continue;
  describe(service, () => {
    const anchors = readdirSync(path)
      .filter((name) => /^service_cert_[0-9]+\.pem$/.test(name))
      .map((name) => pemDecode("CERTIFICATE", readFileSync(`${path}/${name}`, "latin1")));

    test("every certificate in the ledger is read, but for RSA ones", () => {
      for (const der of ledgerCertificates(path)) {
        expect(codeOf(() => parseCertificate(suite, der))).toMatch(/^(accepted|unsupported-algorithm)$/);
      }
    });

    test("an end-entity certificate is believed under exactly one service identity, and an authority's under none", () => {
      let endorsed = 0;
      for (const der of ledgerCertificates(path)) {
        if (codeOf(() => parseCertificate(suite, der)) !== "accepted") continue;
        const verdicts = anchors.map((anchor) => codeOf(() => verifyEndorsement(suite, der, anchor)));
        const isCa = parseCertificate(suite, der).isCa;
        if (!isCa) endorsed++;
        expect(verdicts.filter((verdict) => verdict === "accepted").length).toBe(isCa ? 0 : 1);
        expect(verdicts.every((verdict) => /^(accepted|not-end-entity|authority-key-mismatch)$/.test(verdict))).toBe(
          true,
        );
      }
      expect(endorsed).toBeGreaterThan(0);
    });
  });
}

/** Values are PEM text as it is, or inside JSON with its line ends escaped. */
function ledgerCertificates(path: string): readonly Uint8Array[] {
  const texts = new Set<string>();
  for (const name of readdirSync(`${path}/ledger`)) {
    for (const [text] of readFileSync(`${path}/ledger/${name}`, "latin1").matchAll(PEM)) {
      texts.add(text.replaceAll("\\n", "\n"));
    }
  }
  return [...texts].map((text) => pemDecode("CERTIFICATE", text));
}

function codeOf(attempt: () => unknown): string {
  try {
    attempt();
    return "accepted";
  } catch (error) {
    if (error instanceof CertificateError) return error.code;
    throw error;
  }
}
