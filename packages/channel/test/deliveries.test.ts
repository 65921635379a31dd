/** The enumeration of `deliveries.ts` within one exchange, and a sample of what other sessions add; all of that is in `deliveries.long.test.ts`. */
import { FRAME_CHANNEL } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { attack, fresh, otherSessions, steps } from "./deliveries.js";
import { type Frame, other, type Side } from "./harness.js";

describe.each([1, 2] as const)("version %i", (version) => {
  it("messages of other sessions, to both ends, before there are keys: a sample", () => {
    expect(otherSessions(version, false, 5)).toEqual([]);
  });

  it.each([false, true])(
    "messages of the same exchange: replayed, reordered, reflected (keys in use: %s)",
    (isRenewal) => {
      const wrong: string[] = [];
      let tried = 0;
      const count = steps(version, isRenewal).length;
      for (let at = 1; at <= count; at++) {
        for (let nth = 0; nth < 10; nth++) {
          for (const to of ["low", "high"] as const) {
            const what = attack(version, isRenewal, at, to, (pair) => {
              const frame = pair.sent[nth];
              // Delivered ahead of its time to its own receiver it is simply the message; that is no attack, and it may open.
              if (frame?.frameType !== FRAME_CHANNEL) return undefined;
              tried += 1;
              return frame;
            });
            if (what !== undefined) wrong.push(`frame ${nth} to ${to} before step ${at}: ${what}`);
          }
        }
      }
      expect(wrong).toEqual([]);
      expect(tried).toBeGreaterThanOrEqual(12);
    },
  );

  it("records: duplicates, an older one behind a newer one, reflected, and with the other type", () => {
    const pair = fresh(version, true);
    pair.network = () => [];
    for (const side of ["low", "high"] as const) {
      pair.send(side, "one");
      pair.sendEncrypted(side, "two", "two");
    }
    const records = pair.sent.slice(-4);
    const opens = (frame: Frame, to: Side, frameType = frame.frameType): boolean =>
      frameType !== FRAME_CHANNEL && pair.open(to, frameType, frame.payload) !== undefined;
    for (const frame of records) {
      expect(opens(frame, frame.from)).toBe(false); // reflected
      if (frame.frameType === 2) expect(opens(frame, other(frame.from), 1)).toBe(false);
    }
    for (const frame of records.filter(({ frameType }) => frameType === 2))
      expect(opens(frame, other(frame.from))).toBe(true);
    for (const frame of records) expect(opens(frame, other(frame.from))).toBe(false); // older ones, and the same again
  });
});
