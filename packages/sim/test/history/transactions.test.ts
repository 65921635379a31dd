import { type NodeId, parseTxId, type TxStatus } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { History } from "../../src/history/history.js";
import { checkStatuses, checkTxOrder } from "../../src/history/transactions.js";

const [A, B] = ["a".repeat(64), "b".repeat(64)] as [NodeId, NodeId]; // 64 lower-case hex digits

function statuses(...answers: readonly (readonly [node: NodeId, life: number, status: TxStatus])[]): void {
  checkStatuses(answers.map(([node, life, status], atMs) => ({ node, life, status, atMs, txId: parseTxId("2.5") })));
}

describe("the status of a transaction", () => {
  it("may become known and final, and a node that lags or comes back may know less", () => {
    statuses([A, 1, "unknown"], [A, 1, "pending"], [A, 1, "unknown"], [B, 1, "committed"], [A, 1, "pending"]);
    statuses([A, 1, "committed"], [A, 2, "pending"], [A, 2, "committed"]);
    statuses([A, 1, "pending"], [A, 1, "invalid"], [B, 1, "pending"], [B, 1, "invalid"]);
  });

  it.each([
    ["committed, then invalid elsewhere", [A, 1, "committed"], [B, 1, "invalid"]],
    ["invalid, then committed after a restart", [A, 1, "invalid"], [A, 2, "committed"]],
    ["committed, then pending at the same node", [A, 1, "committed"], [A, 1, "pending"]],
    ["invalid, then unknown at the same node", [A, 1, "invalid"], [A, 1, "unknown"]],
  ] as const)("does not go back: %s", (_what, first, second) => {
    expect(() => statuses(first, second)).toThrow(expect.objectContaining({ code: "status-went-back" }));
  });
});

describe("transaction ids", () => {
  /** Invocations and returns in order: `1` invokes, `1=2.5` returns with an id. */
  function order(...events: readonly string[]): void {
    const history = new History<string, string>();
    const ids = new Map<string, number>();
    for (const event of events) {
      const [name = "", txId] = event.split("=");
      const id = ids.get(name);
      if (id === undefined || txId === undefined) ids.set(name, history.invoke(0, name, 0));
      else history.complete(id, { type: "ok", output: txId }, 0);
    }
    checkTxOrder(history.operations, ({ outcome }) => (outcome.type === "ok" ? parseTxId(outcome.output) : undefined));
  }

  it("follow real time", () => {
    order("1", "1=2.5", "2", "2=2.6", "3", "3=3.7");
    order("1", "2", "2=2.6", "1=2.5", "3", "3=2.7"); // the first two overlap
    order("1", "1=2.5", "2", "2=2.5"); // one that wrote nothing names what it saw
  });

  it.each([
    [["1", "1=2.5", "2", "2=2.4"]],
    [["1", "1=3.5", "2", "2=2.6"]],
    [["1", "2", "2=2.9", "3", "1=2.5", "3=2.8"]],
  ])("do not go back: %j", (events) => {
    expect(() => order(...events)).toThrow(expect.objectContaining({ code: "tx-id-went-back" }));
  });
});
