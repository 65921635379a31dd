import { describe, expect, it } from "vitest";
import { OutputQueue } from "./output.js";

describe("OutputQueue", () => {
  it("gives outputs in order", () => {
    const queue = new OutputQueue();
    queue.push({ type: "exchange", step: "final-sent" });
    queue.push({ type: "established", rekeyed: false });
    expect(queue.shift()).toEqual({ type: "exchange", step: "final-sent" });
    expect(queue.shift()).toEqual({ type: "established", rekeyed: false });
    expect(queue.shift()).toBeUndefined();
  });

  it("keeps 256 notices for an owner that does not poll, and every frame", () => {
    const queue = new OutputQueue();
    for (let i = 0; i < 1_000; i++) queue.push({ type: "rejected", code: "bad-tag", frameType: 1 });
    queue.push({ type: "transmit", frameType: 0, parts: [] });
    const outputs = Array.from({ length: 1_000 }, () => queue.shift()).filter((output) => output !== undefined);
    expect(outputs).toHaveLength(257);
    expect(outputs.at(-1)?.type).toBe("transmit");
    queue.push({ type: "rejected", code: "bad-tag", frameType: 1 });
    expect(queue.shift()?.type).toBe("rejected");
  });
});
