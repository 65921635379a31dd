import { nativeSuite as suite } from "@sealane/crypto/native";
import { Store } from "@sealane/kv";
import { FLAG_CHUNK_ENDS_AFTER, type LedgerEntry, LedgerSecrets, snapshotEvidence } from "@sealane/ledger";
import { type Seqno, seqno, utf8, view, type WriteSet } from "@sealane/wire";
import { expect, it } from "vitest";
import { Snapshots } from "./snapshots.js";

const V2 = view(2);
const secrets = new LedgerSecrets([{ from: seqno(1), key: suite.randomBytes(32) }]);

/** A log of which only the state counts: every fourth entry is a signature, which ends a chunk if a snapshot is due. */
class World {
  readonly store = new Store();
  readonly snapshots = new Snapshots(suite, this.store, 8);

  append(writeSet?: WriteSet): Seqno {
    const at = seqno(this.store.lastSeqno + 1);
    const isSignature = at % 4 === 0 && writeSet === undefined;
    const flags = isSignature && this.snapshots.isDue(at) ? FLAG_CHUNK_ENDS_AFTER : 0;
    this.store.apply(writeSet ?? [{ name: "k", writes: [[utf8(`${at % 3}`), utf8(`${at}`)]], removes: [] }], {
      view: V2,
      seqno: at,
    });
    this.snapshots.handleAppend({ seqno: at, flags, isSignature } as LedgerEntry); // nothing else of an entry is looked at
    return at;
  }

  commit(to: number): void {
    for (
      let at = this.snapshots.takeChunkEnd(seqno(to));
      at !== undefined;
      at = this.snapshots.takeChunkEnd(seqno(to))
    ) {
      this.store.compact(at);
      if (!this.snapshots.wantsState(at)) continue;
      const maps = this.store.committedMaps();
      this.snapshots.capture(secrets, { seqno: at, leaf: new Uint8Array(32), viewHistory: [1, 1], maps });
    }
    this.store.compact(seqno(to));
    this.turns();
  }

  turns(): void {
    do this.snapshots.handleTurn(this.store.committedSeqno);
    while (this.snapshots.isEncoding);
  }

  rollback(to: number): void {
    this.store.rollback(seqno(to));
    this.snapshots.handleRollback(seqno(to));
  }

  get outputs(): object[] {
    const outputs = [];
    for (let output = this.snapshots.pollOutput(); output !== undefined; output = this.snapshots.pollOutput()) {
      const { type, seqno: at, evidence } = output;
      outputs.push({ type, at, evidence: typeof evidence === "number" ? evidence : evidence.seqno });
    }
    return outputs;
  }
}

function captured(): World {
  const world = new World();
  while (world.store.lastSeqno < 10) world.append();
  world.commit(8);
  return world;
}

const evidenceOf = ({ snapshots }: World): WriteSet => {
  if (snapshots.wantsEvidence === undefined) throw new Error("it was captured");
  return snapshotEvidence(snapshots.wantsEvidence).writeSet;
};

it("a snapshot is due once enough entries have come, and then no second one until it is done", () => {
  const world = captured();
  expect(world.snapshots.wantsEvidence?.seqno).toBe(8);
  while (world.store.lastSeqno < 32) world.append();
  world.commit(32);
  expect(world.snapshots.wantsEvidence?.seqno).toBe(8);
  expect(world.outputs).toEqual([]);
});

it("is kept when its evidence is in the log, and proven when that is committed", () => {
  const world = captured();
  const evidence = world.append(evidenceOf(world));
  world.turns();
  expect(world.outputs).toEqual([{ type: "snapshot", at: 8, evidence }]);
  world.commit(evidence);
  expect(world.outputs).toEqual([{ type: "snapshot-proven", at: 8, evidence }]);
});

it("is dropped with its evidence, and kept again with the next one", () => {
  const world = captured();
  const writeSet = evidenceOf(world);
  const lost = world.append(writeSet);
  world.turns();
  world.rollback(lost - 1);
  world.append();
  const evidence = world.append(writeSet);
  world.turns();
  world.rollback(evidence); // takes nothing of it back
  world.commit(evidence);
  expect(world.outputs).toEqual([
    { type: "snapshot", at: 8, evidence: lost },
    { type: "snapshot-dropped", at: 8, evidence: lost },
    { type: "snapshot", at: 8, evidence },
    { type: "snapshot-proven", at: 8, evidence },
  ]);
});

it("is given up when the evidence is of other bytes, or of a newer one", () => {
  for (const version of [8, 12]) {
    const world = captured();
    world.append(snapshotEvidence({ seqno: seqno(version), digest: new Uint8Array(32).fill(9) }).writeSet);
    world.turns();
    expect([world.outputs, world.snapshots.wantsEvidence]).toEqual([[], undefined]);
  }
});

it("is of the state at its signature, however far one commit goes", () => {
  const one = captured();
  const other = new World();
  while (other.store.lastSeqno < 30) other.append();
  other.commit(30);
  expect(other.snapshots.wantsEvidence?.seqno).toBe(8);
  expect(other.snapshots.wantsEvidence?.digest).toEqual(one.snapshots.wantsEvidence?.digest);
});

it("a node that reads old entries does not stop for the snapshots of old", () => {
  const world = new World();
  while (world.store.lastSeqno < 10) world.append();
  world.append(snapshotEvidence({ seqno: seqno(9), digest: new Uint8Array(32).fill(9) }).writeSet);
  world.commit(8);
  expect(world.snapshots.wantsEvidence).toBeUndefined();
});
