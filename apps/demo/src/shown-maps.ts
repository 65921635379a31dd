/** Keys and values of maps as a person can read them: text where they are text. Shared by the server and the page. */
import { fromUtf8, hex, type WriteSet } from "@sealane/wire";
import type { ShownBytes, ShownMap } from "./ledger-feed.js";

/** Tab and line ends belong to text; other control characters make it bytes. */
const CONTROL = /(?![\t\r\n])\p{Cc}/u;

export function shownMaps(maps: WriteSet): ShownMap[] {
  return maps.map(({ name, writes, removes }) => ({
    name,
    writes: writes.map(([key, value]) => ({ key: shown(key), value: shown(value) })),
    removes: removes.map(shown),
  }));
}

function shown(bytes: Uint8Array): ShownBytes {
  try {
    const text = fromUtf8(bytes);
    return CONTROL.test(text) ? { hex: hex(bytes) } : { text };
  } catch {
    return { hex: hex(bytes) };
  }
}
