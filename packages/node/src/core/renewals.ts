/**
 * Endorses nodes anew before their certificates end: as primary, unasked, with the service's key. Who belongs to the service stays as the
 * consortium decided it. Channels do not look at the time (channel-v2 §3), so a service whose certificates have all ended mends itself too.
 */
import { parseCertificate, pemDecode } from "@sealane/crypto";
import type { Store } from "@sealane/kv";
import type { NodeId, WriteSet } from "@sealane/wire";
import { endorseRecorded, TRUSTED_NODES_MAX } from "./governance.js";
import { configuration, endorsedCertificates, nodeInfos, SINGLE } from "./tables.js";
import type { CoreConfig } from "./types.js";

/** One certificate is looked at this often, in ms: reading one takes about 2 ms the first time, and there are 64 at most. */
const LOOK_MS = 10_000;
/** A certificate is replaced when less than this part of its time is left. */
const TIME_LEFT_MIN = 1 / 3;

const NOTHING: WriteSet = [];

export class Renewals {
  readonly #config: Pick<CoreConfig, "suite" | "service">;
  #dueMs = 0;
  /** The node looked at last. */
  #last: NodeId | undefined;
  /** The certificates of the members as they were read last, and from when they are old. A member's present one replaces it. */
  readonly #read = new Map<NodeId, { readonly pem: string; readonly oldMs: number }>();

  constructor(config: Pick<CoreConfig, "suite" | "service">) {
    this.#config = config;
  }

  /** When the next certificate is looked at. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** As primary: looks at the next node's certificate. @returns what renews it; nothing when it is good for long, or not due. */
  take(store: Store, nowMs: number): WriteSet {
    if (nowMs < this.#dueMs) return NOTHING;
    this.#dueMs = nowMs + LOOK_MS;
    const latest = store.read("latest");
    const nodes = latest.map(configuration).get(SINGLE)?.nodes ?? [];
    const next = nodes.find((id) => this.#last === undefined || id > this.#last) ?? nodes[0]; // they are sorted
    if (next === undefined) return NOTHING;
    this.#last = next;
    const certificate = latest.map(endorsedCertificates).get(next);
    const info = latest.map(nodeInfos).get(next);
    if (certificate === undefined || info === undefined || nowMs <= this.#oldMs(next, certificate)) return NOTHING;
    this.#dueMs = nowMs; // the others will be as old
    const tx = store.begin();
    endorseRecorded(tx, next, info, { ...this.#config, nowMs });
    return tx.writeSet();
  }

  /** Until when a certificate is good for long. */
  #oldMs(node: NodeId, pem: string): number {
    const known = this.#read.get(node);
    if (known?.pem === pem) return known.oldMs;
    const { notBefore, notAfter } = parseCertificate(this.#config.suite, pemDecode("CERTIFICATE", pem));
    const oldMs = notAfter.getTime() - TIME_LEFT_MIN * (notAfter.getTime() - notBefore.getTime());
    if (this.#read.size >= TRUSTED_NODES_MAX) this.#read.clear(); // of members that are gone
    this.#read.set(node, { pem, oldMs });
    return oldMs;
  }
}
