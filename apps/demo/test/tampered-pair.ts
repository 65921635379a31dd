/**
 * A pair of real nodes with a proxy between them that flips one bit of a chosen frame, and the judge of what came of it: wrong data must
 * never be accepted, and the nodes must find their way back by themselves.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { Acknowledged } from "../src/append.js";
import { checkExactlyOnce } from "../src/exactly-once.js";
import { firstDifference, readLedgerBytes } from "../src/ledger-bytes.js";
import type { PassingFrame } from "../src/link-proxy.js";
import { readSecrets } from "../src/secrets.js";
import { Cluster } from "../src/supervisor.js";
import { until } from "../src/until.js";

const TIMES = { electionTimeoutMs: 1_500, heartbeatMs: 50, commitTimeoutMs: 1_000 };
const RECOVERY_MS = 45_000;

/** u32 size ‖ u64 type ‖ u64 id length ‖ 64 characters of id. */
export const HEAD_BYTES = 84;
export const CHANNEL = 0;
export const CONSENSUS = 1;
export const FORWARDED = 2;

export type Fits = (frame: Uint8Array) => boolean;

/** The u64 at an offset, or -1 beyond the end. */
export function u64(bytes: Uint8Array, offset: number): number {
  if (bytes.length < offset + 8) return -1;
  return Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(offset, true));
}

export function isFrame(frame: Uint8Array, type: number, kind: number): boolean {
  return u64(frame, 4) === type && u64(frame, HEAD_BYTES) === kind;
}

/** Flips one bit of the first frame that fits, once, and then lets everything pass. */
class Vandal {
  #wanted: { readonly fits: Fits; readonly offset: number } | undefined;
  #done: () => void = () => undefined;

  /** @param offset - In the frame, size field included; negative counts from its end. */
  flipNext(fits: Fits, offset: number): Promise<void> {
    this.#wanted = { fits, offset };
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  readonly mutate = ({ frame }: PassingFrame): Uint8Array | undefined => {
    if (this.#wanted === undefined || !this.#wanted.fits(frame)) return undefined;
    const at = this.#wanted.offset < 0 ? frame.length + this.#wanted.offset : this.#wanted.offset;
    this.#wanted = undefined;
    const changed = Uint8Array.from(frame);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    this.#done();
    return changed;
  };
}

export class TamperedPair {
  readonly cluster: Cluster;
  /** Why the nodes refused something, with how often. */
  readonly refusals = new Map<string, number>();
  readonly #dir: string;
  readonly #vandal: Vandal;
  readonly #acknowledged: Acknowledged[] = [];
  #writes = 0;

  private constructor(cluster: Cluster, dir: string, vandal: Vandal) {
    this.cluster = cluster;
    this.#dir = dir;
    this.#vandal = vandal;
    cluster.subscribe({
      changed: () => undefined,
      observed: (_, events) => {
        for (const { group, what } of events) {
          if (group === "rejected") this.refusals.set(what, (this.refusals.get(what) ?? 0) + 1);
        }
      },
    });
  }

  static async open(): Promise<TamperedPair> {
    const dir = await mkdtemp(join(tmpdir(), "sealane-tamper-test-"));
    const vandal = new Vandal();
    const cluster = await Cluster.open({ nodes: 2, dataDir: dir, temporary: false, mutate: vandal.mutate, ...TIMES });
    const pair = new TamperedPair(cluster, dir, vandal);
    await cluster.bringUp();
    return pair;
  }

  async close(): Promise<void> {
    await this.cluster.close();
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** Flips, provokes the frame to flip, and sees the pair work again in both directions. */
  async flipAndRecover(fits: Fits, offset: number, provoke: () => Promise<void>): Promise<void> {
    await Promise.all([this.#vandal.flipNext(fits, offset), provoke()]);
    for (const via of [0, 1]) {
      await this.write(via);
      await this.#bothAgree();
    }
  }

  /** Writes through a node until it is committed, however long the way back takes. */
  async write(via: number): Promise<void> {
    this.#writes += 1;
    const line = { key: `write-${this.#writes}`, text: JSON.stringify({ number: this.#writes, via }) };
    const { txId, created } = await this.cluster
      .client(via, RECOVERY_MS)
      .put(line.key, JSON.parse(line.text) as unknown);
    this.#acknowledged.push({ line, txId, created });
  }

  /** A new process has no keys: it must exchange them. */
  async restartBackup(): Promise<void> {
    await this.cluster.kill(1);
    await this.cluster.restart(1);
  }

  /** Stops both nodes. Their ledgers must hold the same committed bytes, every write exactly once, and nothing else. */
  async judge(): Promise<void> {
    const committed = await until("both nodes have committed the same last entry", () => this.#settled(), {
      timeoutMs: RECOVERY_MS,
    });
    await Promise.all([this.cluster.stop(0), this.cluster.stop(1)]);
    const dirs = [0, 1].map((index) => join(this.cluster.dataDir(index), "ledger"));
    const [first, second] = await Promise.all(dirs.map(readLedgerBytes));
    if (first === undefined || second === undefined) throw new Error("two ledgers expected");
    expect(firstDifference(first, second, committed)).toBeUndefined();
    const secrets = await readSecrets(this.cluster.dataDir(0));
    const findings = checkExactlyOnce(first, committed, secrets, this.#acknowledged);
    expect(findings.problems).toEqual([]);
    expect(findings.records).toBe(this.#writes);
  }

  /** The last write reads the same on both nodes. */
  async #bothAgree(): Promise<void> {
    const last = this.#acknowledged.at(-1);
    if (last === undefined) throw new Error("nothing was written");
    for (const node of [0, 1]) {
      const client = this.cluster.client(node, RECOVERY_MS);
      await client.waitForCommit(last.txId);
      const record = await client.get(last.line.key);
      expect([record.value, record.txId]).toEqual([JSON.parse(last.line.text), last.txId]);
    }
  }

  async #settled(): Promise<number | undefined> {
    const [first, second] = await Promise.all([0, 1].map((index) => this.cluster.client(index).state()));
    if (first === undefined || first.committed !== second?.committed) return undefined;
    return first.committed.endsWith(`.${first.lastSeqno}`) ? first.lastSeqno : undefined;
  }
}
