import { type NodeId, seqno, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { a, b, c, log as entriesOf, entry } from "../test/support/bench.js";
import type { Entry } from "./interface.js";
import { Log } from "./log.js";
import { replayLog } from "./restore.js";

function filled(id: NodeId, entries: readonly Entry[]): Log {
  const log = new Log(id);
  for (const each of entries) {
    if (each.configuration !== undefined) log.addConfiguration(each.seqno, each.configuration);
    log.append(each);
  }
  return log;
}

const restored = (id: NodeId, entries: readonly Entry[], commit = 0): Log => {
  const hardState = { view: view(9), votedFor: undefined };
  return new Log(id, replayLog({ id, hardState, commitSeqno: seqno(commit), entries }));
};

describe("§9.1: elections are allowed", () => {
  test("from the first signature on that stands behind this node's membership", () => {
    const log = filled(a, entriesOf("2 2", [a, b]));
    expect(log.ticking).toBe(false);
    log.append(entry(2, 3, { signature: true }));
    expect(log.ticking).toBe(true);
  });

  test.each([
    ["while there is no configuration", entriesOf("2s 2s")],
    ["to a node of none", entriesOf("2 2s", [b, c])],
  ])("not %s", (_, entries) => {
    expect(filled(a, entries).ticking).toBe(false);
    for (const commit of [0, 1, 2]) expect(restored(a, entries, commit).ticking).toBe(false);
  });

  test("after a restart too, also when the signature itself brought the configuration", () => {
    for (const commit of [0, 2]) expect(restored(a, entriesOf("2 2s", [a]), commit).ticking).toBe(true);
    const first = entry(2, 1, { signature: true, configuration: [a] });
    for (const commit of [0, 1]) expect(restored(a, [first], commit).ticking).toBe(true);
  });

  test("not by a configuration that is older than every entry, and not signed", () => {
    const state = replayLog({
      id: a,
      hardState: { view: view(0), votedFor: undefined },
      commitSeqno: seqno(0),
      entries: [],
    });
    expect(new Log(a, { ...state, configurations: [{ seqno: seqno(0), nodes: [a, b] }] }).ticking).toBe(false);
  });

  test("to a node on its way out, also after a restart: the others may need it", () => {
    const entries = [
      ...entriesOf("2 2s", [a, b, c]),
      entry(2, 3, { configuration: [a, b] }),
      entry(2, 4, { signature: true }),
    ];
    for (const commit of [2, 4]) expect(restored(c, entries, commit).ticking).toBe(true);
  });
});

describe("Log", () => {
  test("a configuration equal to the newest one changes nothing", () => {
    const log = filled(a, entriesOf("2 2s", [a, b]));
    expect(log.addConfiguration(seqno(3), [b, a])).toBe(false);
    expect([log.configurations.all.length, log.retirement.phase]).toEqual([1, undefined]);
  });

  test("a commit says whether a configuration was dropped by it, and who is retired by it", () => {
    const log = filled(a, [
      ...entriesOf("2 2s 2s", [a, b, c]),
      entry(2, 4, { configuration: [a, b], signature: true }),
      entry(2, 5, { retired: [c], signature: true }),
      entry(2, 6, { signature: true }),
    ]);
    expect([2, 3, 4, 5, 6].map((at) => log.commit(seqno(at)))).toEqual([
      { configurationDropped: false, retired: [] },
      { configurationDropped: false, retired: [] },
      { configurationDropped: true, retired: [] },
      { configurationDropped: false, retired: [c] },
      { configurationDropped: false, retired: [] },
    ]);
  });

  test("what it gives for a restart has the retirements it holds and no others, and its own only if there is one", () => {
    const entries = [
      ...entriesOf("2 2s", [a, b, c]),
      entry(2, 3, { configuration: [a, b] }),
      entry(2, 4, { signature: true }),
      entry(2, 5),
    ];
    const hardState = { view: view(2), votedFor: undefined };
    const stateOf = (id: NodeId) => filled(id, entries).restoredState(hardState);
    expect(stateOf(a).retirements).toEqual([]);
    expect(stateOf(a)).not.toHaveProperty("retirement");
    const own = { removedSeqno: 3, signedSeqno: 4, phase: "signed" };
    expect(stateOf(c).retirement).toEqual(own);
    expect(new Log(c, stateOf(c)).retirement.state).toEqual(own);
  });
});
