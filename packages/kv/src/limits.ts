/**
 * The bounds of the store. They hold for a transaction (`put`, `remove`) and for a replicated write set (`apply`) alike, so that no
 * replica accepts what another one refuses.
 */

/** A map name, in characters. Names are printable ASCII, so order by character is order by byte (ledger spec §3.2). */
export const MAP_NAME_CHARS_MAX = 256;

/** A key, in bytes. Every key is held as text in memory as well, so it stays small; a hash, an id or a path fits. */
export const KEY_BYTES_MAX = 1024;

/** A value, in bytes. Well above the 1 MiB of a record, so that a serialised tree or a bundle of certificates fits too. */
export const VALUE_BYTES_MAX = 16 * 1024 * 1024;

/** One transaction as it is serialised (ledger spec §3.2), in bytes: an entry must fit one frame of 64 MiB with room to spare. */
export const TRANSACTION_BYTES_MAX = 32 * 1024 * 1024;

/** Objects and arrays inside one another in a JSON value. Deeper text is refused before it can exhaust the stack. */
export const JSON_DEPTH_MAX = 100;

/** Serialised bytes of a map besides its name and changes: name length, read version and the three counts (ledger spec §3.2). */
export const MAP_OVERHEAD_BYTES = 5 * 8;

/** Serialised bytes of the length before a key or a value (ledger spec, conventions: `blob`). */
export const BLOB_OVERHEAD_BYTES = 8;

if (
  VALUE_BYTES_MAX + KEY_BYTES_MAX + MAP_NAME_CHARS_MAX + MAP_OVERHEAD_BYTES + 2 * BLOB_OVERHEAD_BYTES >
  TRANSACTION_BYTES_MAX
) {
  throw new Error("the largest value must fit a transaction");
}
