import { type NodeId, seqno, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { AppendSender, type SenderLimits } from "./append-sender.js";
import { BatchSize } from "./batch-size.js";
import { Log } from "./log.js";
import type { PeerProgress } from "./peers.js";

/** A sender over a log with an entry of 100 bytes for each of these views. */
function sender(views: readonly number[], limits: Partial<SenderLimits> = {}): AppendSender {
  const log = new Log("a" as NodeId); // the core never looks inside an id
  for (const [index, of] of views.entries()) {
    log.append({ view: view(of), seqno: seqno(index + 1), signature: false, bytes: 100 });
  }
  const none = { adaptive: false, messageBytesMax: 1_000_000, inFlightBytesMax: Number.POSITIVE_INFINITY };
  return new AppendSender(log, new BatchSize(), { ...none, ...limits });
}

const fresh = (): PeerProgress => ({ sentSeqno: seqno(0), matchSeqno: seqno(0), lastAckMs: 0 });
/** What a burst from the first entry on says: from after where, up to where, of which view. */
function ranges(of: AppendSender, peer: PeerProgress = fresh()): readonly (readonly number[])[] {
  const messages = of.burst(peer, seqno(1), view(9));
  return messages.map((message) => [message.prevSeqno, message.seqno, message.viewOfSeqno]);
}
const times = (count: number, of: number): readonly number[] => new Array<number>(count).fill(of);

describe("AppendSender", () => {
  test("a message ends where the view of its entries ends, however much room it has (§7.4)", () => {
    expect(ranges(sender([2, 2, 3, 3, 5]))).toEqual([
      [0, 2, 2],
      [2, 4, 3],
      [4, 5, 5],
    ]);
  });

  test("adaptive: a message has as many entries as the batch size says, twenty at first (§7.3)", () => {
    expect(ranges(sender(times(45, 2), { adaptive: true }))).toEqual([
      [0, 20, 2],
      [20, 40, 2],
      [40, 45, 2],
    ]);
    expect(ranges(sender(times(45, 2)))).toEqual([[0, 45, 2]]);
  });

  test("a message is filled up to its bound of bytes exactly", () => {
    expect(ranges(sender(times(5, 2), { messageBytesMax: 200 }))).toEqual([
      [0, 2, 2],
      [2, 4, 2],
      [4, 5, 2],
    ]);
    expect(ranges(sender(times(2, 2), { messageBytesMax: 1 }))).toEqual([
      [0, 1, 2],
      [1, 2, 2],
    ]);
  });

  test("a peer gets no more once its share of bytes is in flight, and then a heartbeat alone", () => {
    const bounded = sender(times(5, 2), { messageBytesMax: 100, inFlightBytesMax: 200 });
    const peer = fresh();
    expect(ranges(bounded, peer)).toEqual([
      [0, 1, 2],
      [1, 2, 2],
    ]);
    expect([peer.sentSeqno, bounded.mayFill(peer)]).toEqual([2, false]);
    const [heartbeat, ...more] = bounded.burst(peer, seqno(3), view(9));
    expect(heartbeat).toMatchObject({ prevSeqno: 2, seqno: 2 });
    expect(more).toEqual([]);
    peer.matchSeqno = seqno(1);
    expect(bounded.mayFill(peer)).toBe(true);
  });

  test("only a bound makes acknowledgements pull a backlog", () => {
    expect(sender([2]).bounded).toBe(false);
    expect(sender([2], { inFlightBytesMax: 1 }).bounded).toBe(true);
  });
});
