import { type AppendEntries, decodeConsensus, NodeId, seqno, view } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { MessageSender, type SenderParts } from "./message-sender.js";
import type { Payload } from "./payloads.js";
import { StoredEntries } from "./stored-entries.js";

const peer = NodeId.parse("a".repeat(64));
const other = NodeId.parse("b".repeat(64));
const ENTRIES = [new Uint8Array([5]), new Uint8Array([6])];
const MESSAGE: AppendEntries = {
  type: "append-entries",
  prevSeqno: seqno(4),
  seqno: seqno(6),
  view: view(3),
  prevView: view(2),
  commitSeqno: seqno(4),
  viewOfSeqno: view(3),
};

/** A primary in view 3, whose entries are in storage, and whose channels have keys. */
class World {
  readonly replica = { role: "primary" as "primary" | "backup", view: view(3) };
  readonly stored = new StoredEntries();
  readonly sent: Parameters<SenderParts["transmit"]>[0][] = [];
  inMemory: Payload | undefined;
  isBeforeMemory = true;
  hasKeys = true;
  readonly sender = new MessageSender({
    log: {
      replica: this.replica,
      payloads: {
        of: () => this.inMemory,
        from: (entries) => payload(0, entries),
        isBeforeMemory: () => this.isBeforeMemory,
      },
    },
    peers: { seal: () => (this.hasKeys ? new Uint8Array(24) : undefined) },
    stored: this.stored,
    transmit: (output) => this.sent.push(output),
    observe: undefined,
  });

  /** The entries of each message that was sent. */
  get entries(): (readonly Uint8Array[])[] {
    return this.sent.map(({ parts }) => parts.slice(2));
  }
}

function payload(tag: number, entries: readonly Uint8Array[] = ENTRIES): Payload {
  return { entries, digest: new Uint8Array(32).fill(tag) };
}

describe("MessageSender", () => {
  it("puts the entries behind the header, from memory where they are there", () => {
    const world = new World();
    world.inMemory = payload(0);
    world.sender.send(peer, MESSAGE, 0);
    expect(world.entries).toEqual([ENTRIES]);
    expect(world.stored.pollOutput()).toBeUndefined();
  });

  it("reads for one message per peer at a time", () => {
    const world = new World();
    for (const to of [peer, peer, other]) world.sender.send(to, MESSAGE, 0);
    const asked = [world.stored.pollOutput(), world.stored.pollOutput()];
    expect(asked).toMatchObject([
      { id: 0, from: 5, through: 6 },
      { id: 1, from: 5, through: 6 },
    ]);
    expect(world.stored.pollOutput()).toBeUndefined();
    world.stored.handleEntries(0, ENTRIES, 1);
    expect(world.sent.map(({ to }) => to)).toEqual([peer]);
    expect(world.entries).toEqual([ENTRIES]);
    world.sender.send(peer, MESSAGE, 2);
    expect(world.stored.pollOutput()).toMatchObject({ id: 2 });
  });

  it("sends as many as one read brings, and names no more than those", () => {
    const world = new World();
    world.sender.send(peer, MESSAGE, 0);
    world.stored.handleEntries(world.stored.pollOutput()?.id ?? -1, ENTRIES.slice(0, 1), 0);
    expect(world.entries).toEqual([ENTRIES.slice(0, 1)]);
    const { message } = decodeConsensus(world.sent[0]?.parts[0] ?? new Uint8Array(0));
    expect(message).toMatchObject({ type: "append-entries", prevSeqno: 4, seqno: 5 });
  });

  it("sends nothing of what was read for another view or role, or when entries are missing", () => {
    const world = new World();
    const readFor = (entries: readonly Uint8Array[]): void => {
      world.sender.send(peer, MESSAGE, 0);
      world.stored.handleEntries(world.stored.pollOutput()?.id ?? -1, entries, 0);
    };
    readFor([]);
    readFor([...ENTRIES, ...ENTRIES]);
    world.replica.view = view(4);
    readFor(ENTRIES);
    Object.assign(world.replica, { view: view(3), role: "backup" });
    readFor(ENTRIES);
    expect(world.sent).toEqual([]);
    world.replica.role = "primary";
    readFor(ENTRIES);
    expect(world.entries).toEqual([ENTRIES]);
  });

  it("neither sends nor reads what was rolled back", () => {
    const world = new World();
    world.isBeforeMemory = false;
    world.sender.send(peer, MESSAGE, 0);
    expect([world.sent, world.stored.pollOutput()]).toEqual([[], undefined]);
  });

  it("sends nothing without keys", () => {
    const world = new World();
    world.inMemory = payload(0);
    world.hasKeys = false;
    world.sender.send(peer, MESSAGE, 0);
    expect(world.sent).toEqual([]);
  });
});
