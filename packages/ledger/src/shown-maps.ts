/** Keys and values of maps as a person can read them: text where they are text. */
import { fromUtf8, hex, type WriteSet } from "@sealane/wire";

/** Tab and line ends belong to text; other control characters make it bytes, and would reach a terminal. */
const CONTROL = /(?![\t\r\n])\p{Cc}/u;

/** Bytes that are text are a string, others `{ hex }`. */
export type Shown = string | { readonly hex: string };

export interface ShownMap {
  readonly name: string;
  readonly writes: readonly { readonly key: Shown; readonly value: Shown }[];
  readonly removes: readonly Shown[];
}

/**
 * What a transaction changed, ready for JSON.
 * @example
 * console.log(JSON.stringify(shownMaps(decodeEntry(suite, secrets, bytes).writeSet)));
 */
export function shownMaps(writeSet: WriteSet): ShownMap[] {
  return writeSet.map(({ name, writes, removes }) => ({
    name,
    writes: writes.map(([key, value]) => ({ key: shownBytes(key), value: shownBytes(value) })),
    removes: removes.map(shownBytes),
  }));
}

/** Bytes as text, if a person can read them so. */
export function shownBytes(bytes: Uint8Array): Shown {
  try {
    const text = fromUtf8(bytes);
    return CONTROL.test(text) ? { hex: hex(bytes) } : text;
  } catch {
    return { hex: hex(bytes) };
  }
}
