/** The verifier accepts four real CCF ledgers, recoveries, open chunks and all (ledger spec §1, §8). */
import { nativeSuite as suite } from "@sealane/crypto/native";
import { formatTxId } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { ledgerDirectory } from "../src/files/ledger-directory.js";
import { verifyLedger } from "../src/verify-ledger.js";
import {
  ABSENT,
  CCF_LEDGERS,
  ccfLedgersPresent,
  expectedOf,
  ledgerDirectoryOf,
  secretsOf,
  serviceCertificatesOf,
} from "./shared.js";

if (!ccfLedgersPresent) test.skip(ABSENT, () => {});

describe.skipIf(!ccfLedgersPresent).each(CCF_LEDGERS)("%s", (name) => {
  const expected = expectedOf(name);
  const identities = serviceCertificatesOf(name);
  const last = identities.at(-1) ?? "";

  test.each([
    { title: "without secrets", secrets: undefined },
    { title: "with secrets", secrets: secretsOf(expected) },
  ])("verifies $title", async ({ secrets }) => {
    const options = { suite, serviceCertificate: last, ...(secrets === undefined ? {} : { secrets }) };
    const result = await verifyLedger(ledgerDirectory(ledgerDirectoryOf(name)), options);
    if (!result.ok) throw new Error(`${result.code} ${result.message} ${JSON.stringify(result.at)}`);
    expect(result.entries).toBe(expected.transactions);
    expect(result.signatures).toBe(expected.signatures);
    expect(result.serviceIdentities).toBe(expected.service_identities);
    if (result.lastSigned === undefined) throw new Error("it has signatures");
    expect(formatTxId(result.lastSigned)).toBe(expected.last_verified);
    expect(result.unsigned).toBe(expected.transactions - result.lastSigned.seqno);
  });

  test("belongs to its last service identity and to none before", async () => {
    for (const serviceCertificate of identities.slice(0, -1)) {
      const result = await verifyLedger(ledgerDirectory(ledgerDirectoryOf(name)), { suite, serviceCertificate });
      expect(result).toMatchObject({ ok: false, code: "other-service" });
    }
  });
});
