import { nobleSuite } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { describe, expect, it } from "vitest";
import { establishedPair, makeWorld, Pair } from "./harness.js";

describe.each([nativeSuite, nobleSuite])("two channels on the $name suite", (suite) => {
  const world = makeWorld(suite);

  it("exchange keys in four messages and then records both ways", () => {
    const pair = establishedPair({ world, suite });
    expect(pair.sent.map(({ kind }) => kind)).toEqual([16, 17, 18, 19]);
    expect(pair.logs.low.steps).toEqual(["init-sent", "response-received", "final-sent", "confirm-received"]);
    expect(pair.logs.high.steps).toEqual(["init-received", "response-sent", "final-received", "confirm-sent"]);
    expect(pair.low.state).toBe("ESTABLISHED");
    expect(pair.high.state).toBe("ESTABLISHED");
    expect(pair.send("low", "one", Uint8Array.of(1, 2, 3))).toBe(true);
    expect(pair.sendEncrypted("high", "two", "secret")).toBe("sent");
    pair.run(10);
    expect(pair.logs.high.received).toEqual([
      { frameType: 1, header: "one", plaintext: "", rest: Uint8Array.of(1, 2, 3) },
    ]);
    expect(pair.logs.low.received).toEqual([
      { frameType: 2, header: "two", plaintext: "secret", rest: new Uint8Array(0) },
    ]);
    expect(pair.logs.low.rejected).toEqual([]);
    expect(pair.logs.high.rejected).toEqual([]);
  });

  it("finish with one exchange when both initiate", () => {
    const pair = new Pair({ world, suite });
    pair.initiate("low");
    pair.initiate("high");
    pair.run(1_000);
    expect(pair.talks()).toBe(true);
    expect([pair.low.exchanges, pair.high.exchanges]).toEqual([1, 1]);
    expect(pair.logs.high.steps).toContain("final-sent");
  });
});
