/** A receipt of every signed transaction of four real CCF ledgers (ledger spec §9). */
import { test } from "vitest";
import { checkReceipts } from "./all-receipts.js";
import { ABSENT, CCF_LEDGERS, ccfLedgersPresent } from "./shared.js";

if (!ccfLedgersPresent) test.skip(ABSENT, () => {});

test.skipIf(!ccfLedgersPresent).each(CCF_LEDGERS)("%s", { timeout: 120_000 }, (name) => checkReceipts(name, 1));
