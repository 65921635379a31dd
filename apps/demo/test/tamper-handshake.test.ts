/** One flipped byte in each kind of handshake message between real nodes; see `tampered-pair.ts` for what is asked of them. */
import { expect, test } from "vitest";
import { CHANNEL, HEAD_BYTES, isFrame, TamperedPair } from "./tampered-pair.js";

/** By message: its kind, places in its payload (negative: from the end), and reasons that must be among the refusals. */
const MESSAGES = [
  {
    name: "init",
    kind: 16,
    places: {
      version: 8,
      "initiator's id": 16,
      "responder's id": 48,
      nonce: 80,
      "the point's format": 112,
      share: 150,
    },
    refusals: ["wrong-version", "wrong-sender", "wrong-receiver", "bad-signature", "bad-share"],
  },
  {
    name: "init, certificate and signature",
    kind: 16,
    places: {
      kind: 0,
      "length of the certificate": 209,
      certificate: 300,
      "r of the signature": -60,
      "s of the signature": -1,
    },
    refusals: ["bad-signature"],
  },
  {
    name: "response",
    kind: 17,
    places: { "handshake id": 16, nonce: 24, share: 100, certificate: 260, signature: -1 },
    refusals: ["unknown-handshake", "bad-signature"],
  },
  {
    name: "final and confirm",
    kind: 18,
    places: { "handshake id": 16, signature: -1 },
    confirmPlaces: { "handshake id": 16, keyId: 24, tag: -1 },
    refusals: ["bad-signature"],
  },
];
const CONFIRM = 19;

// Each on a pair of its own, side by side: most of the time is time-outs.
test.concurrent.each(MESSAGES)("$name", { timeout: 240_000 }, async ({ kind, places, confirmPlaces, refusals }) => {
  const pair = await TamperedPair.open();
  try {
    const flips = [
      ...Object.values(places).map((offset) => ({ kind, offset })),
      ...Object.values(confirmPlaces ?? {}).map((offset) => ({ kind: CONFIRM, offset })),
    ];
    for (const { kind: wanted, offset } of flips) {
      const at = offset < 0 ? offset : HEAD_BYTES + offset;
      await pair.flipAndRecover(
        (frame) => isFrame(frame, CHANNEL, wanted),
        at,
        () => pair.restartBackup(),
      );
    }
    await pair.judge();
    expect([...pair.refusals.keys()]).toEqual(expect.arrayContaining(refusals));
  } finally {
    await pair.close();
  }
});
