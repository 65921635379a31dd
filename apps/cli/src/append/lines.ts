/** Newline-delimited JSON: bytes to lines, lines to values. A line is one record; blank lines are counted but hold none. */
import { fromUtf8 } from "@sealane/wire";
import { CliError } from "../cli-error.js";

/** A record's value has at most 1 MiB; a line may spend as much again on white space. */
export const LINE_BYTES_MAX = 2 * 1024 * 1024;

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = "\ufeff";
const BLANK = /^[ \t\r]*$/;

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly bytes: Uint8Array;
}

export interface JsonLine {
  readonly line: number;
  readonly value: unknown;
}

/**
 * Cuts a stream at newlines; the last line needs none. Holds at most one line and one chunk.
 * @throws {CliError} for a line above `LINE_BYTES_MAX`, as soon as it is that long.
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line, void, undefined> {
  let number = 1;
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  const checked = (bytes: number): void => {
    if (bytes > LINE_BYTES_MAX) throw new CliError(`line ${number} is longer than ${LINE_BYTES_MAX} bytes`);
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      checked(begunBytes + end - start);
      yield { number, bytes: joined([...begun, chunk.subarray(start, end)]) };
      begun = [];
      begunBytes = 0;
      number += 1;
      start = end + 1;
    }
    if (start === chunk.length) continue;
    begun.push(chunk.subarray(start));
    begunBytes += chunk.length - start;
    checked(begunBytes);
  }
  if (begunBytes > 0) yield { number, bytes: joined(begun) };
}

/** @throws {CliError} that names the first line that is not JSON. */
export async function* parseLines(lines: AsyncIterable<Line>): AsyncGenerator<JsonLine, void, undefined> {
  for await (const { number, bytes } of lines) {
    const text = textOf(number, bytes);
    if (!BLANK.test(text)) yield { line: number, value: jsonOf(number, text) };
  }
}

function textOf(number: number, bytes: Uint8Array): string {
  try {
    const text = fromUtf8(bytes);
    return number === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  } catch (cause) {
    throw new CliError(`line ${number} is not UTF-8 text`, { cause });
  }
}

function jsonOf(number: number, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the line, which may hold anything; its number is enough to find it.
    throw new CliError(`line ${number} is not JSON`);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
