/** The lines the headless script writes: a real NDJSON file, one record a line, each with words of its own that no one else writes. */
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";

export interface Line {
  /** The record's key. */
  readonly key: string;
  /** The line as it stands in the file, without its newline: what is written as the record's value, and searched for afterwards. */
  readonly text: string;
}

/** Characters of `token`: what the eavesdropper's view is searched for, so it must not come about by chance. */
export const TOKEN_CHARS = 24;

const PORTS = ["Rotterdam", "Bergen", "Gdańsk", "Piraeus", "Yokohama", "Valparaíso", "Mombasa", "Halifax"] as const;
const GOODS = ["timber", "coffee", "tulip bulbs", "machine parts", "cocoa", "rye", "cork", "wool"] as const;

/** Writes `count` lines. Every line holds a fresh random token of `TOKEN_CHARS` hex digits. */
export async function makeLines(file: string, count: number): Promise<void> {
  const lines: string[] = [];
  for (let number = 1; number <= count; number++) {
    lines.push(
      JSON.stringify({
        voyage: number,
        from: PORTS[number % PORTS.length],
        to: PORTS[(number * 3 + 1) % PORTS.length],
        cargo: GOODS[(number * 5) % GOODS.length],
        tonnes: (number * 37) % 900,
        token: randomBytes(TOKEN_CHARS / 2).toString("hex"),
      }),
    );
  }
  await writeFile(file, `${lines.join("\n")}\n`);
}

/** Reads the file back: what is sent is what stands on disk. */
export async function readLines(file: string): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (text !== "") lines.push({ key: `voyage-${String(lines.length + 1).padStart(6, "0")}`, text });
  }
  return lines;
}

/** The random token of a line made by `makeLines`. */
export function tokenOf(line: Line): string {
  return line.text.slice(-TOKEN_CHARS - 2, -2);
}
