/** The records of real CCF services lead from the last ledger secret back to the first. */
import { nativeSuite as suite } from "@sealane/crypto/native";
import { hex } from "@sealane/wire";
import { expect, test } from "vitest";
import { ledgerDirectory } from "../src/files.js";
import { olderSecrets, readRecovery } from "../src/recovery/recover-secrets.js";
import { decodeHistoricalSecret, encodeHistoricalSecret } from "../src/recovery/recovery-records.js";
import { ABSENT, CCF_LEDGERS, ccfLedgersPresent, expectedOf, ledgerDirectoryOf, secretsOf } from "./shared.js";

if (!ccfLedgersPresent) test.skip(ABSENT, () => {});

test.skipIf(!ccfLedgersPresent).each(CCF_LEDGERS)("%s", async (name) => {
  const records = await readRecovery(ledgerDirectory(ledgerDirectoryOf(name)), suite);
  expect(records.shares.wrapped).toHaveLength(60);
  expect(records.shares.wrapped.subarray(16, 28)).toEqual(new Uint8Array(12));
  for (const share of records.shares.encryptedShares.values()) expect(share).toHaveLength(256);
  for (const record of records.historical.values())
    expect(decodeHistoricalSecret(encodeHistoricalSecret(record))).toEqual(record);
  const expected = expectedOf(name).ledger_secrets;
  const latest = secretsOf(expectedOf(name)).list().at(-1)?.key ?? new Uint8Array(0);
  const { secrets } = olderSecrets(suite, records.historical, latest);
  expect(secrets.map(({ from, key }) => ({ from_seqno: from, key: hex(key) }))).toEqual(expected);
});
