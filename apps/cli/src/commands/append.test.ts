import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chunksOf, FakeIo } from "../../test/fake-io.js";
import type { KeyedRecord } from "../append/pipeline.js";
import { openSource } from "../append/source.js";
import { appendSource } from "./append.js";

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sealane-append-"));
});
afterAll(() => rm(dir, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, text);
  return path;
}

/** Records as a service keeps them: a value under a key is written once. */
class Records {
  readonly writes: KeyedRecord[] = [];
  readonly #txIds = new Map<string, string>();

  readonly put = async (record: KeyedRecord): Promise<string> => {
    const known = this.#txIds.get(record.key);
    if (known !== undefined) return known;
    this.writes.push(record);
    const txId = `2.${this.writes.length}`;
    this.#txIds.set(record.key, txId);
    return txId;
  };
}

async function append(io: FakeIo, path: string, records: Records, prefix?: string): Promise<string> {
  const source = await openSource(path, io);
  await appendSource(io, source, { prefix: prefix ?? source.prefix, put: records.put, inFlightMax: 8 });
  await source.close();
  return prefix ?? source.prefix;
}

test("the same file again writes nothing again and prints the same", async () => {
  const path = await file("a.ndjson", '{"a":1}\n\n{"a":1}\n3');
  const records = new Records();
  const [first, second] = [new FakeIo(), new FakeIo()];
  const prefix = await append(first, path, records);
  await append(second, path, records);
  expect(prefix).toMatch(/^[0-9a-f]{16}$/);
  expect(first.out).toEqual([`2.1 ${prefix}-1`, `2.2 ${prefix}-3`, `2.3 ${prefix}-4`]);
  expect(second.out).toEqual(first.out);
  expect(records.writes.map(({ value }) => value)).toEqual([{ a: 1 }, { a: 1 }, 3]);
});

test("another content has another prefix", async () => {
  const records = new Records();
  const one = await append(new FakeIo(), await file("one", "1\n"), records);
  const two = await append(new FakeIo(), await file("two", "2\n"), records);
  expect(one).not.toBe(two);
  expect(records.writes.length).toBe(2);
});

test("stdin has a random prefix unless one is given", async () => {
  const records = new Records();
  const one = await append(new FakeIo(chunksOf("1\n")), "-", records);
  const two = await append(new FakeIo(chunksOf("1\n")), "-", records);
  expect(one).not.toBe(two);
  const io = new FakeIo(chunksOf("1\n2\n"));
  await append(io, "-", records, "mine");
  expect(io.out).toEqual(["2.3 mine-1", "2.4 mine-2"]);
});

test("a reader of stdout that goes away ends the output, not the writing", async () => {
  const io = new FakeIo(chunksOf("1\n2\n3\n"));
  io.stdoutOpen = false;
  const records = new Records();
  await append(io, "-", records);
  expect(records.writes.length).toBe(3);
});

test("a malformed line stops the writing at that line", async () => {
  const io = new FakeIo(chunksOf("1\n2\nthree\n4\n"));
  const records = new Records();
  const source = await openSource("-", io);
  const outcome = await appendSource(io, source, { prefix: "p", put: records.put, inFlightMax: 1 });
  expect(outcome).toMatchObject({ committed: 2, inputError: { message: "line 3 is not JSON" } });
  expect(records.writes.map(({ line }) => line)).toEqual([1, 2]);
});

test("lines are counted for the progress bar with or without a last newline", async () => {
  for (const [text, total] of [
    ["", 0],
    ["1", 1],
    ["1\n", 1],
    ["1\n\n2", 3],
  ] as const) {
    const source = await openSource(await file("counted", text), new FakeIo());
    expect(source.linesTotal).toBe(total);
    await source.close();
  }
});

test("what is no file of records is refused with its name", async () => {
  await expect(openSource(join(dir, "missing"), new FakeIo())).rejects.toThrow("there is no such file");
  await expect(openSource(dir, new FakeIo())).rejects.toThrow("is a directory");
});
