/** An entry as the checks compare it. */
import type { Entry } from "@sealane/consensus";

/** An entry together with what tells two entries of the same id apart. */
export interface StoredEntry extends Entry {
  readonly data: string;
}

export function sameEntry(a: StoredEntry, b: StoredEntry): boolean {
  return a === b || (a.view === b.view && a.seqno === b.seqno && a.signature === b.signature && a.data === b.data);
}
