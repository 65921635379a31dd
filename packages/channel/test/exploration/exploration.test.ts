/** The laws of `explore.ts` in every state that two real channels can get into, within a budget of what may happen. */
import { expect, it } from "vitest";
import { HANDSHAKE_TIMEOUT_MS } from "./end.js";
import { explore } from "./explore.js";

const NOTHING = { initiates: 0, losses: 0, duplicates: 0, rekeys: 0, delays: 0, records: 0 };

it.each([
  { what: "two crossing inits", budget: { initiates: 2 }, statesMin: 52 },
  {
    what: "two crossing inits, one loss and one duplicate",
    budget: { initiates: 2, losses: 1, duplicates: 1 },
    statesMin: 3_500,
  },
  { what: "one init, one rekey and one loss", budget: { initiates: 1, rekeys: 1, losses: 1 }, statesMin: 1_000 },
  { what: "two crossing inits and one delay beyond a time-out", budget: { initiates: 2, delays: 1 }, statesMin: 1_000 },
])(
  "$what: in each of over $statesMin states both ends can still reach common keys, and no nonce has come twice",
  ({ budget, statesMin }) => {
    const { states, ends, recoveryMsMax, differentMsMax } = explore({ ...NOTHING, ...budget });
    expect(states).toBeGreaterThanOrEqual(statesMin);
    expect(ends).toBeGreaterThan(0);
    expect(differentMsMax).toBeLessThanOrEqual(HANDSHAKE_TIMEOUT_MS);
    expect(recoveryMsMax).toBeLessThanOrEqual(2 * HANDSHAKE_TIMEOUT_MS);
  },
);
