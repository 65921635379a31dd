/** An entry as a node shows it: lines for people, one JSON object for programs. */
import { shownMaps } from "@sealane/ledger";
import type { HistoricalEntry } from "@sealane/wire";
import type { Io } from "../io.js";
import { mapLines } from "../ledger/render.js";

/** @returns false once nobody reads any more. */
export async function printEntry(io: Io, entry: HistoricalEntry, asJson: boolean): Promise<boolean> {
  const lines = asJson ? [JSON.stringify(entryJson(entry))] : entryLines(entry);
  for (const line of lines) if (!(await io.printLine(line))) return false;
  return true;
}

function entryJson({ publicMaps, privateMaps, ...rest }: HistoricalEntry): object {
  return { ...rest, public: shownMaps(publicMaps), private: shownMaps(privateMaps) };
}

function entryLines({ txId, bytes, signature, publicMaps, privateMaps, privateBytes }: HistoricalEntry): string[] {
  const kind = signature === null ? "" : `, signed by ${signature.node}`;
  const isSealed = privateBytes > 0 && privateMaps.length === 0;
  const sealed = isSealed ? [`  ${privateBytes} private bytes, which the application does not show`] : [];
  return [`${txId}  ${bytes} bytes${kind}`, ...mapLines(publicMaps), ...mapLines(privateMaps), ...sealed];
}
