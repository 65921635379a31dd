import { expect, test } from "vitest";
import { BATCH_EVENTS_MAX, EventBatch } from "./event-batch.js";
import type { ObservedEvent } from "./node-messages.js";

function event(over: Partial<ObservedEvent>): ObservedEvent {
  return {
    atMs: 0,
    peer: null,
    direction: "sent",
    group: "header",
    what: "x",
    detail: "",
    bytes: 1,
    heartbeat: false,
    ...over,
  };
}

test("a batch gives out what came in, in order, once", () => {
  const batch = new EventBatch();
  batch.add(event({ what: "a" }));
  batch.add(event({ what: "b" }));
  expect(batch.take().events.map((e) => e.what)).toEqual(["a", "b"]);
  expect(batch.take()).toEqual({ events: [], dropped: 0 });
});

test("a batch never holds more than its bound and counts the rest", () => {
  const batch = new EventBatch();
  for (let i = 0; i < BATCH_EVENTS_MAX + 7; i++) batch.add(event({}));
  const taken = batch.take();
  expect(taken.events).toHaveLength(BATCH_EVENTS_MAX);
  expect(taken.dropped).toBe(7);
});

test("a full batch gives up heartbeats first, then headers, and never a key exchange for a header", () => {
  const batch = new EventBatch();
  batch.add(event({ what: "beat", heartbeat: true }));
  for (let i = 1; i < BATCH_EVENTS_MAX; i++) batch.add(event({ what: "header" }));
  batch.add(event({ what: "late-header" }));
  batch.add(event({ what: "init", group: "exchange" }));
  batch.add(event({ what: "beat", heartbeat: true }));
  const { events, dropped } = batch.take();
  expect(events).toHaveLength(BATCH_EVENTS_MAX);
  expect(dropped).toBe(3);
  expect(events.some((e) => e.heartbeat)).toBe(false);
  expect(events.at(-1)?.what).toBe("init");
  expect(events.some((e) => e.what === "late-header")).toBe(true);
});
