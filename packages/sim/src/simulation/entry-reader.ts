/** What the checks must know of a ledger entry, read from its bytes without any key, once for all nodes that hold it. */
import { simulatedSuite } from "@sealane/crypto/simulated";
import { decodeEntry, NODES_INFO_TABLE } from "@sealane/ledger";
import { fromUtf8, NodeId } from "@sealane/wire";
import type { StoredEntry } from "../invariants/stored-entry.js";

/** Names of the tables in which a node writes who takes part (node `core/tables.ts`). */
const CONFIGURATION_TABLE = "public:sealane.gov.configuration";

export class EntryReader {
  /** Digests are part of what is decoded, and nobody looks at them here. */
  readonly #suite = simulatedSuite((length) => new Uint8Array(length));
  /** By what stands for the bytes. */
  readonly #known = new Map<string, StoredEntry>();

  /** @param bytes - one whole entry. */
  read(bytes: Uint8Array): StoredEntry {
    const data = fingerprint(bytes);
    const known = this.#known.get(data);
    if (known !== undefined) return known;
    const { seqno, view, isSignature, publicMaps } = decodeEntry(this.#suite, undefined, bytes);
    const written = publicMaps.find(({ name }) => name === CONFIGURATION_TABLE)?.writes[0]?.[1];
    const configuration = written === undefined ? undefined : nodesIn(written);
    const records = publicMaps.find(({ name }) => name === NODES_INFO_TABLE)?.writes ?? [];
    const retired = records.flatMap(([id, record]) => (mayBeSwitchedOff(record) ? [NodeId.parse(fromUtf8(id))] : []));
    const entry = {
      seqno,
      view,
      signature: isSignature,
      bytes: bytes.length,
      data,
      ...(configuration !== undefined && { configuration }),
      ...(retired.length > 0 && { retired }),
    };
    this.#known.set(data, entry);
    return entry;
  }
}

function nodesIn(value: Uint8Array): readonly NodeId[] {
  const parsed: unknown = JSON.parse(fromUtf8(value));
  if (typeof parsed !== "object" || parsed === null || !("nodes" in parsed) || !Array.isArray(parsed.nodes)) {
    throw new Error("a configuration names nodes");
  }
  return parsed.nodes.map((id) => NodeId.parse(id));
}

/** Whether a node's record is the second entry of its retirement (consensus spec §11.3). */
function mayBeSwitchedOff(record: Uint8Array): boolean {
  const parsed: unknown = JSON.parse(fromUtf8(record));
  return (
    typeof parsed === "object" && parsed !== null && "retired_committed" in parsed && parsed.retired_committed === true
  );
}

/** 16 hex digits. */
function fingerprint(bytes: Uint8Array): string {
  let [high, low] = [0x811c9dc5, 0x9e3779b9];
  for (const byte of bytes) {
    high = Math.imul(high ^ byte, 0x01000193);
    low = Math.imul((low ^ byte) + 0x9e3779b9, 0x85ebca77);
    low ^= low >>> 15;
  }
  return [high, low].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
}
