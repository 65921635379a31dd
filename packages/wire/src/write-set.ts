/** What a transaction changed: made by `kv`, serialised by `ledger`, applied by `kv` again on every replica (ledger spec §3.2). */

/** One map's changes. `writes` and `removes` ascend by key bytes, and a key appears once in all. */
export interface MapWrites {
  /** Starts with `public:` for a public map; every other map is private and is encrypted. */
  readonly name: string;
  readonly writes: readonly (readonly [key: Uint8Array, value: Uint8Array])[];
  readonly removes: readonly Uint8Array[];
}

/** Maps with at least one change, ascending by name. */
export type WriteSet = readonly MapWrites[];

export const PUBLIC_PREFIX = "public:";
