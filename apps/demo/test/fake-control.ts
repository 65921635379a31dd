/** A cluster that does not exist: what the page and the HTTP tests see without any node. */
import { DemoError } from "../src/errors.js";
import type { ClusterView, NodeAction, NodeView, WriteView } from "../src/feed.js";
import type { DemoControl } from "../src/http.js";
import { Hub } from "../src/hub.js";

export interface FakeControl extends DemoControl {
  readonly hub: Hub;
  /** What the buttons did, in order. */
  readonly calls: string[];
  setView(view: ClusterView): void;
}

export function fakeControl(count: number): FakeControl {
  const calls: string[] = [];
  let view = fakeView(count);
  const hub = new Hub(() => view);
  return {
    hub,
    calls,
    setView: (next) => {
      view = next;
      hub.changed();
    },
    view: () => view,
    openFeed: () => hub.open(),
    closeFeed: (backlog) => hub.close(backlog),
    write: (via, key, value) => {
      calls.push(`write ${via} ${key} ${JSON.stringify(value)}`);
      const write = fakeWrite({ number: calls.length, via, key, value: JSON.stringify(value) }, count);
      hub.setWrite(write);
      return write;
    },
    act: (node: number, action: NodeAction) => {
      calls.push(`${action} ${node}`);
      return action === "restart"
        ? Promise.reject(new DemoError(`Node ${node} is running already.`))
        : Promise.resolve();
    },
    setLink: (a, b, cut) => {
      calls.push(`link ${a} ${b} ${cut}`);
      view = { ...view, links: view.links.map((link) => (link.a === a && link.b === b ? { a, b, cut } : link)) };
      hub.changed();
    },
    ledgerPage: (node, from, count) => {
      calls.push(`ledger ${node} ${from} ${count}`);
      return Promise.resolve({ entries: [] });
    },
    openedEntry: (node, seqno) => Promise.reject(new DemoError(`Node ${node} has no entry ${seqno}.`)),
    receipt: () => Promise.resolve({ receipt: "{}", serviceCertificate: "" }),
  };
}

export function fakeWrite(over: Partial<WriteView>, count: number): WriteView {
  return {
    number: 1,
    key: "note-1",
    value: '"hello"',
    via: 0,
    startedAtMs: 0,
    txId: "2.41",
    state: "pending",
    statuses: Array.from({ length: count }, () => "pending"),
    elapsedMs: null,
    error: null,
    ...over,
  };
}

function fakeView(count: number): ClusterView {
  const links = [];
  for (let a = 0; a < count; a++) for (let b = a + 1; b < count; b++) links.push({ a, b, cut: false });
  return { nodes: Array.from({ length: count }, (_, index) => fakeNode(index, count)), links };
}

function fakeNode(index: number, count: number): NodeView {
  return {
    index,
    process: "up",
    pid: 1000 + index,
    id: String(index).repeat(64),
    phase: "active",
    role: index === 0 ? "primary" : "backup",
    view: 2,
    lastSeqno: 1342,
    committed: "2.1340",
    channels: Array.from({ length: count }, (_, to) => to)
      .filter((to) => to !== index)
      .map((to) => ({
        to,
        state: "ESTABLISHED" as const,
        open: true,
        keyAgeMs: 84_000,
        sent: 12_345,
        received: 12_301,
        recordsLeft: 8_376_263,
        lastError: null,
        exchanges: 1,
      })),
    apiUrl: `https://127.0.0.1:${4601 + index}`,
    nodeAddress: `127.0.0.1:${4621 + index}`,
    publishedAddress: `127.0.0.1:${4611 + index}`,
    dataDir: `/tmp/sealane-demo/node${index}`,
    fault: null,
  };
}
