/** Histories whose verdict is known from the books, and from thinking. */
import { describe, expect, it } from "vitest";
import { History } from "../../src/history/history.js";
import { checkLinearizable } from "../../src/history/linearizability.js";
import { type RegisterInput, type RegisterOutput, registerModel } from "../../src/workload/registers.js";

/** One line for each event: `client put a`, `client put-if a b`, `client get`, and their ends `client = found version`, `client ?`, `client x`. */
function verdictOf(...lines: readonly string[]): string {
  const history = new History<RegisterInput, RegisterOutput>();
  const running = new Map<string, number>();
  for (const line of lines) {
    const [client = "", what = "", first = "", second = ""] = line.split(" ");
    const id = running.get(client) ?? -1;
    if (what === "=") {
      const output = { found: first === "-" ? null : first, version: Number(second), txId: undefined };
      history.complete(id, { type: "ok", output }, 0);
    } else if (what === "?") history.complete(id, { type: "unknown" }, 0);
    else if (what === "x") history.complete(id, { type: "failed" }, 0);
    else running.set(client, history.invoke(client.charCodeAt(0), inputOf(what, first, second), 0));
  }
  return checkLinearizable(registerModel, history.operations).type;
}

function inputOf(what: string, first: string, second: string): RegisterInput {
  if (what === "put") return { type: "put", key: "k", value: first };
  if (what === "put-if") return { type: "put-if", key: "k", expected: first === "-" ? null : first, value: second };
  return { type: "get", key: "k", level: "latest" };
}

describe("is linearizable", () => {
  it.each([
    ["nothing", []],
    ["one after the other", ["A put a", "A = - 1", "B get", "B = a 1"]],
    ["a read beside a write sees it or not", ["A put a", "B get", "C get", "B = a 1", "C = - 0", "A = - 1"]],
    ["a later write is ordered first", ["A put a", "B put b", "B = - 1", "A = b 2"]],
    ["an unknown write that was seen", ["A put a", "A ?", "B get", "B = a 1"]],
    ["an unknown write that was not", ["A put a", "A ?", "B get", "B = - 0"]],
    ["an unknown write that takes effect much later", ["A put a", "A ?", "B get", "B = - 0", "B get", "B = a 1"]],
    ["a refused write that nobody sees", ["A put a", "A x", "B get", "B = - 0"]],
    ["one of two put-ifs wins", ["A put-if - a", "B put-if - b", "A = - 1", "B = a 1"]],
  ])("%s", (_what, lines) => expect(verdictOf(...lines)).toBe("linearizable"));
});

describe("is not linearizable", () => {
  it.each([
    ["a stale read", ["A put a", "A = - 1", "B get", "B = - 0"]],
    ["a read that goes back", ["A put a", "B get", "B = a 1", "C get", "C = - 0", "A = - 1"]],
    ["a write from nowhere", ["B get", "B = a 1"]],
    ["a refused write that is seen", ["A put a", "A x", "B get", "B = a 1"]],
    ["both put-ifs win", ["A put-if - a", "B put-if - b", "A = - 1", "B = - 1"]],
    ["a write that was applied twice", ["A put a", "A = - 1", "B get", "B = a 2"]],
    ["an acknowledged write that is lost", ["A put a", "A = - 1", "B put b", "B = - 1"]],
    ["an unknown write that is seen and gone again", ["A put a", "A ?", "B get", "B = a 1", "B get", "B = - 0"]],
    ["an unknown write that is seen before it is asked for", ["B get", "B = a 1", "A put a", "A ?"]],
  ])("%s", (_what, lines) => expect(verdictOf(...lines)).toBe("not-linearizable"));
});

it("names the key, and the longest order that explains its answers", () => {
  const history = new History<RegisterInput, RegisterOutput>();
  const answered = (input: RegisterInput, found: string | null, version: number) =>
    history.complete(history.invoke(1, input, 0), { type: "ok", output: { found, version, txId: undefined } }, 0);
  answered({ type: "put", key: "fine", value: "a" }, null, 1);
  answered({ type: "put", key: "lost", value: "a" }, null, 1);
  answered({ type: "get", key: "lost", level: "latest" }, null, 0);
  const verdict = checkLinearizable(registerModel, history.operations);
  expect(verdict).toMatchObject({ type: "not-linearizable", key: "lost", longest: [1] });
});
