/** Entries of a ledger as text: lines for people, one JSON object for programs. */
import { type DecodedEntry, type PlacedEntry, type Shown, type ShownMap, shownMaps } from "@sealane/ledger";
import { formatTxId, hex, type WriteSet } from "@sealane/wire";

/** A key or value is cut here in lines for people; JSON has it whole. */
const SHOWN_CHARS_MAX = 160;

/** One entry as `sealane ledger show --json` prints it. */
export function entryJson({ file, offset }: PlacedEntry, entry: DecodedEntry): object {
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
export function entryLines({ file, offset }: PlacedEntry, entry: DecodedEntry): string[] {
  const { signature, bytes, publicMaps, privateMaps } = entry;
  const kind = signature === undefined ? "" : `, signed by ${signature.node}`;
  return [
    `${formatTxId(entry)}  ${bytes.length} bytes at ${offset} of ${file}${kind}`,
    ...mapLines(publicMaps),
    ...(privateMaps === undefined ? ["  private maps are encrypted"] : mapLines(privateMaps)),
  ];
}

/** Maps as lines for people. */
export function mapLines(maps: WriteSet): string[] {
  return shownMaps(maps).flatMap(linesOf);
}

function linesOf({ name, writes, removes }: ShownMap): string[] {
  return [
    `  ${name}`,
    ...writes.map(({ key, value }) => `    ${short(key)} = ${short(value)}`),
    ...removes.map((key) => `    ${short(key)} removed`),
  ];
}

function short(value: Shown): string {
  const text = typeof value === "string" ? value.replace(/\s+/g, " ") : `0x${value.hex}`;
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}… (${text.length} characters)` : text;
}
