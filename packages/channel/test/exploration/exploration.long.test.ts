/** As `exploration.test.ts`, with all kinds of events together. */
import { expect, it } from "vitest";
import { HANDSHAKE_TIMEOUT_MS } from "./end.js";
import { explore } from "./explore.js";

const NOTHING = { initiates: 0, losses: 0, duplicates: 0, rekeys: 0, delays: 0, records: 0 };

it.each([
  {
    what: "two crossing inits, one loss, one duplicate and one rekey",
    budget: { initiates: 2, losses: 1, duplicates: 1, rekeys: 1 },
    statesMin: 57_000,
  },
  {
    what: "two crossing inits, one loss, one rekey and a record",
    budget: { initiates: 2, losses: 1, rekeys: 1, records: 1 },
    statesMin: 210_000,
  },
  {
    what: "two crossing inits, one loss, one rekey and one delay beyond a time-out",
    budget: { initiates: 2, losses: 1, rekeys: 1, delays: 1 },
    statesMin: 290_000,
  },
])(
  "$what: in each of over $statesMin states both ends can still reach common keys, and no nonce has come twice",
  { timeout: 300_000 },
  ({ budget, statesMin }) => {
    const { states, recoveryMsMax, differentMsMax } = explore({ ...NOTHING, ...budget });
    expect(states).toBeGreaterThanOrEqual(statesMin);
    expect(differentMsMax).toBeLessThanOrEqual(HANDSHAKE_TIMEOUT_MS);
    expect(recoveryMsMax).toBeLessThanOrEqual(2 * HANDSHAKE_TIMEOUT_MS);
  },
);
