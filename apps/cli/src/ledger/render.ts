/** Entries of a ledger as text: lines for people, one JSON object for programs. */
import type { DecodedEntry } from "@sealane/ledger";
import { formatTxId, fromUtf8, hex, type WriteSet } from "@sealane/wire";
import type { StoredEntry } from "./directory.js";

/** A key or value is cut here in lines for people; JSON has it whole. */
const SHOWN_CHARS_MAX = 160;
/** Tab and line ends belong to text; other control characters make it bytes, and would reach the terminal. */
const CONTROL = /(?![\t\r\n])\p{Cc}/u;

/** Bytes that are text are a string, others `{ hex }`. */
export type Shown = string | { readonly hex: string };

export interface ShownMap {
  readonly name: string;
  readonly writes: readonly { readonly key: Shown; readonly value: Shown }[];
  readonly removes: readonly Shown[];
}

/** One entry as `sealane ledger show --json` prints it. */
export function entryJson({ file, offset }: StoredEntry, entry: DecodedEntry): object {
  const { view, seqno, flags, entryType, bytes, signature, publicMaps, privateMaps } = entry;
  return {
    txId: formatTxId({ view, seqno }),
    view,
    seqno,
    file,
    offset,
    bytes: bytes.length,
    type: entryType,
    flags,
    signature: signature === undefined ? null : { node: signature.node, root: hex(signature.root) },
    public: shownMaps(publicMaps),
    private: privateMaps === undefined ? null : shownMaps(privateMaps),
  };
}

/** One entry as lines for people. */
export function entryLines({ file, offset }: StoredEntry, entry: DecodedEntry): string[] {
  const { signature, bytes, publicMaps, privateMaps } = entry;
  const kind = signature === undefined ? "" : `, signed by ${signature.node}`;
  return [
    `${formatTxId(entry)}  ${bytes.length} bytes at ${offset} of ${file}${kind}`,
    ...shownMaps(publicMaps).flatMap(mapLines),
    ...(privateMaps === undefined ? ["  private maps are encrypted"] : shownMaps(privateMaps).flatMap(mapLines)),
  ];
}

function mapLines({ name, writes, removes }: ShownMap): string[] {
  return [
    `  ${name}`,
    ...writes.map(({ key, value }) => `    ${short(key)} = ${short(value)}`),
    ...removes.map((key) => `    ${short(key)} removed`),
  ];
}

function shownMaps(writeSet: WriteSet): ShownMap[] {
  return writeSet.map(({ name, writes, removes }) => ({
    name,
    writes: writes.map(([key, value]) => ({ key: shown(key), value: shown(value) })),
    removes: removes.map(shown),
  }));
}

function shown(bytes: Uint8Array): Shown {
  try {
    const text = fromUtf8(bytes);
    return CONTROL.test(text) ? { hex: hex(bytes) } : text;
  } catch {
    return { hex: hex(bytes) };
  }
}

function short(value: Shown): string {
  const text = typeof value === "string" ? value.replace(/\s+/g, " ") : `0x${value.hex}`;
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}… (${text.length} characters)` : text;
}
