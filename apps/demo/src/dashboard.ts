/** Ties one cluster to the pages that watch it: rows from what the nodes report, the buttons, the writes that are followed. */

import { parseTxId, type Seqno, seqno } from "@sealane/wire";
import { DemoError } from "./errors.js";
import type { NodeAction } from "./feed.js";
import type { DemoControl } from "./http.js";
import { Hub } from "./hub.js";
import { ledgerPage, openedEntry, receiptFor } from "./ledger-explorer.js";
import type { Cluster } from "./supervisor.js";
import { Writes } from "./writes.js";

/** Ages and counters are worth a fresh look this often, also when nothing happens. */
const REFRESH_EVERY_MS = 1_000;

export interface Dashboard extends DemoControl {
  end(): void;
}

export function dashboard(cluster: Cluster): Dashboard {
  const hub = new Hub(() => cluster.view());
  const writes = new Writes(
    {
      size: cluster.size,
      client: (index, timeoutMs) => cluster.client(index, timeoutMs),
      isUp: (index) => cluster.node(index).process === "up",
    },
    (write) => hub.setWrite(write),
  );
  const unsubscribe = cluster.subscribe({
    changed: () => hub.changed(),
    observed: (node, events, dropped) => {
      const rows = events.map(({ peer, ...event }) => ({
        ...event,
        node,
        peer: peer === null ? null : (cluster.indexOf(peer) ?? null),
      }));
      hub.addRows(rows, dropped);
    },
  });
  const timer = setInterval(() => hub.changed(), REFRESH_EVERY_MS);
  return {
    view: () => cluster.view(),
    openFeed: () => hub.open(),
    closeFeed: (backlog) => hub.close(backlog),
    write: (via, key, value) => writes.start(via, key, value, cluster.signal),
    act: (node, action) => act(cluster, node, action),
    setLink: (a, b, cut) => cluster.setLink(a, b, cut),
    ledgerPage: (node, from, count) => ledgerPage(cluster.dataDir(node), from, count),
    openedEntry: (node, at) => openedEntry(cluster.dataDir(node), at),
    receipt: (node, at) => receiptFor(cluster.dataDir(node), at, committedBy(cluster, node)),
    end: () => {
      clearInterval(timer);
      unsubscribe();
      hub.end();
    },
  };
}

/** What a node has reported as committed is so for good, also when it is down now. */
function committedBy(cluster: Cluster, node: number): Seqno {
  const committed = cluster.node(node).state?.committed;
  return committed === undefined ? seqno(0) : parseTxId(committed).seqno;
}

async function act(cluster: Cluster, index: number, action: NodeAction): Promise<void> {
  const isDown = cluster.node(index).process === "down";
  if (isDown !== (action === "restart"))
    throw new DemoError(`Node ${index} is ${isDown ? "down" : "running"} already.`);
  if (action === "stop") await cluster.stop(index);
  else if (action === "kill") await cluster.kill(index);
  else await cluster.restart(index);
}
