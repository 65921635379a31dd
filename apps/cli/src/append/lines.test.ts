import { expect, test } from "vitest";
import { chunksOf } from "../../test/fake-io.js";
import { type JsonLine, LINE_BYTES_MAX, parseLines, splitLines } from "./lines.js";

async function read(...chunks: (string | Uint8Array)[]): Promise<JsonLine[]> {
  const lines: JsonLine[] = [];
  for await (const line of parseLines(splitLines(chunksOf(...chunks)))) lines.push(line);
  return lines;
}

test("each line is one value, whatever the chunks", async () => {
  const text = '{"a":1}\n[2]\n"drei ä"\nnull\n';
  const expected = [{ a: 1 }, [2], "drei ä", null].map((value, index) => ({ line: index + 1, value }));
  expect(await read(text)).toEqual(expected);
  const bytes = new TextEncoder().encode(text);
  for (let size = 1; size <= bytes.length; size += 1) {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    expect(await read(...chunks)).toEqual(expected);
  }
});

test("the last line needs no newline, CRLF is one, and blank lines only count", async () => {
  expect(await read("1\r\n\r\n \t\n2")).toEqual([
    { line: 1, value: 1 },
    { line: 4, value: 2 },
  ]);
  expect(await read()).toEqual([]);
  expect(await read("\n\n")).toEqual([]);
});

test("a byte order mark before the first line is ignored, elsewhere it is not JSON", async () => {
  expect(await read("\ufeff1\n")).toEqual([{ line: 1, value: 1 }]);
  await expect(read("1\n\ufeff2\n")).rejects.toThrow("line 2 is not JSON");
});

test.each([
  ["{'a': 1}", "line 3 is not JSON"],
  ['{"a": 1', "line 3 is not JSON"],
  ["1 2", "line 3 is not JSON"],
  [Uint8Array.of(0x22, 0xff, 0x22), "line 3 is not UTF-8 text"],
])("a line that is no JSON is named: %o", async (bad, message) => {
  const seen: number[] = [];
  const source = parseLines(splitLines(chunksOf("1\n2\n", bad, "\n4\n")));
  const reading = (async () => {
    for await (const { line } of source) seen.push(line);
  })();
  await expect(reading).rejects.toThrow(message);
  expect(seen).toEqual([1, 2]);
});

test("a line may have the bound and not one byte more, with or without its end", async () => {
  const digits = "1".repeat(LINE_BYTES_MAX - 2);
  expect((await read(`"${digits}"\n2`)).length).toBe(2);
  await expect(read(`"${digits}1"\n2`)).rejects.toThrow("line 1 is longer than");
  await expect(read('"', digits, digits)).rejects.toThrow("line 1 is longer than");
});
