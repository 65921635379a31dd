/** Names of chunk files (ledger spec §1.1): `ledger_<first>`, `ledger_<first>-<last>`, `ledger_<first>-<last>.committed`. */

export interface ChunkName {
  readonly name: string;
  readonly first: number;
  /** Absent from the name of an open chunk, or of a finished one that is not committed yet. */
  readonly last: number | undefined;
  readonly committed: boolean;
}

const CHUNK_NAME = /^ledger_([1-9][0-9]{0,15})(?:-([1-9][0-9]{0,15})(\.committed)?)?$/;
/** §1.1: set aside, or of a recovery that did not end; readers skip both. */
const SET_ASIDE = /^ledger_.*\.(?:ignored|recovery)$/;

/** The chunk a file name stands for; `"other"` for a file that is no part of the ledger; `undefined` for a `ledger_` name no writer produces. */
export function parseChunkName(name: string): ChunkName | "other" | undefined {
  if (!name.startsWith("ledger_") || SET_ASIDE.test(name)) return "other";
  const [, firstText, lastText, suffix] = CHUNK_NAME.exec(name) ?? [];
  if (firstText === undefined) return undefined;
  const first = Number(firstText);
  const last = lastText === undefined ? undefined : Number(lastText);
  if (!Number.isSafeInteger(first) || (last !== undefined && (!Number.isSafeInteger(last) || last < first)))
    return undefined;
  return { name, first, last, committed: suffix !== undefined };
}

export function openChunkName(first: number): string {
  return `ledger_${first}`;
}

export function committedChunkName(first: number, last: number): string {
  return `ledger_${first}-${last}.committed`;
}
