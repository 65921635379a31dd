import { type NodeId, seqno, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import type { Entry, Output } from "./interface.js";
import { OutputQueue } from "./output-queue.js";

const entry = (at: number): Entry => ({ view: view(2), seqno: seqno(at), signature: false, bytes: 1 });
const commit = (at: number): Output => ({ type: "commit", seqno: seqno(at) });
const wait: Output = { type: "wait", untilMs: 7 };
const role = (of: number, primary?: NodeId) => ({ type: "role", role: "backup", view: view(of), primary }) as const;

function drain(queue: OutputQueue<Entry>): readonly Output[] {
  const outputs: Output[] = [];
  for (let output = queue.poll(); output !== undefined; output = queue.poll()) outputs.push(output);
  return outputs;
}

describe("OutputQueue", () => {
  test("entries appended one after the other come out together, and apart when something lies between", () => {
    const queue = new OutputQueue<Entry>();
    const entries = [1, 2, 3].map(entry);
    queue.append(entry(1));
    queue.append(entry(2));
    queue.push(commit(2));
    queue.append(entry(3));
    expect(drain(queue)).toEqual([
      { type: "append", entries: entries.slice(0, 2) },
      commit(2),
      { type: "append", entries: entries.slice(2) },
    ]);
  });

  test("a new input takes back a wait that nobody polled, and nothing else", () => {
    const queue = new OutputQueue<Entry>();
    queue.push(commit(1));
    queue.resume(); // no wait ends it: it comes from the constructor
    queue.push(commit(2));
    queue.push(wait);
    expect(queue.poll()).toEqual(commit(1));
    queue.resume();
    queue.push(commit(3));
    queue.push(wait);
    expect(drain(queue)).toEqual([commit(2), commit(3), wait]);
    queue.resume();
    expect(drain(queue)).toEqual([]);
  });

  test("a role is reported when role, view or primary differ from what was reported last", () => {
    const queue = new OutputQueue<Entry>();
    const other = "b" as NodeId; // the core never looks inside an id
    for (const each of [role(2), role(2), role(3), role(3, other), role(3, other), role(3)]) queue.announce(each);
    expect(drain(queue)).toEqual([role(2), role(3), role(3, other), role(3)]);
  });
});
