import { Writable } from "node:stream";
import { concatBytes, encodeFrameHeader, equalBytes, FRAME_CONSENSUS, type FrameType } from "@sealane/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { testId } from "../testing.js";
import { FrameWriter } from "./frame-writer.js";

const SELF = testId("a");

/** Stands for a socket: counts the writes the operating system would see, and takes its time. */
class SlowSink extends Writable {
  readonly operations: Uint8Array[][] = [];
  #waiting: (() => void)[] = [];

  constructor(highWaterMark = 1024 * 1024) {
    super({ highWaterMark });
  }

  override _write(chunk: Uint8Array, _: string, done: () => void): void {
    this.#take([chunk], done);
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: () => void): void {
    this.#take(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  /** Lets the operating system take what it was last given; what the chunks hold is read only now, as it really is. */
  async step(): Promise<Uint8Array> {
    const taken = concatBytes(...(this.operations.at(-1) ?? []));
    for (const done of this.#waiting.splice(0)) done();
    await new Promise((resolve) => setImmediate(resolve));
    return taken;
  }

  async drain(): Promise<Uint8Array> {
    const taken: Uint8Array[] = [];
    while (this.#waiting.length > 0) taken.push(await this.step());
    return concatBytes(...taken);
  }

  #take(chunks: Uint8Array[], done: () => void): void {
    this.operations.push(chunks);
    this.#waiting.push(done);
  }
}

const frame = (type: FrameType, payload: Uint8Array): Uint8Array =>
  concatBytes(encodeFrameHeader(type, SELF, payload.length), payload);

test("the small frames of one turn leave in one write of one piece", async () => {
  const sink = new SlowSink();
  let requests = 0;
  const writer = new FrameWriter(sink, SELF, () => requests++);
  const payloads = Array.from({ length: 300 }, (_, index) => new Uint8Array(200).fill(index));
  for (const payload of payloads) writer.add(FRAME_CONSENSUS, [payload], payload.length);
  expect(requests).toBe(300);
  expect(sink.operations).toHaveLength(0);
  writer.flush();
  expect(sink.operations.map((chunks) => chunks.length)).toEqual([1]);
  expect(
    equalBytes(await sink.drain(), concatBytes(...payloads.map((payload) => frame(FRAME_CONSENSUS, payload)))),
  ).toBe(true);
});

test("a large part goes by reference, in one vectored write with what is around it", async () => {
  const sink = new SlowSink();
  const writer = new FrameWriter(sink, SELF, () => undefined);
  const large = new Uint8Array(8192).fill(7);
  const payload = concatBytes(Uint8Array.of(1), large, Uint8Array.of(2));
  writer.add(1, [Uint8Array.of(1), large, Uint8Array.of(2)], payload.length);
  writer.add(1, [Uint8Array.of(3)], 1);
  writer.flush();
  const [chunks] = sink.operations;
  expect(sink.operations).toHaveLength(1);
  expect(chunks?.map((chunk) => chunk.length)).toEqual([85, 8192, 1 + 85]);
  expect(chunks?.[1]?.buffer).toBe(large.buffer);
  expect(equalBytes(await sink.drain(), concatBytes(frame(1, payload), frame(1, Uint8Array.of(3))))).toBe(true);
});

test("slab memory is not used again before the operating system has taken it", async () => {
  const sink = new SlowSink();
  const writer = new FrameWriter(sink, SELF, () => undefined);
  const payloads = [1, 2, 3, 4].map((fill) => new Uint8Array(500).fill(fill));
  const add = (index: number): void => writer.add(1, [payloads[index] ?? new Uint8Array(0)], 500);
  const stream: Uint8Array[] = [];
  add(0);
  writer.flush();
  add(1); // while the first write is under way
  writer.flush();
  stream.push(await sink.step()); // now the second is
  add(2);
  add(3);
  writer.flush();
  stream.push(await sink.drain());
  expect(equalBytes(concatBytes(...stream), concatBytes(...payloads.map((payload) => frame(1, payload))))).toBe(true);
  // Once everything is taken, the same memory serves again.
  add(0);
  writer.flush();
  expect(sink.operations.at(-1)?.[0]?.buffer).toBe(sink.operations[0]?.[0]?.buffer);
  expect(sink.operations.at(-1)?.[0]?.byteOffset).toBe(sink.operations[0]?.[0]?.byteOffset);
});

test("what is collected while the last write finishes is not overwritten", async () => {
  const sink = new SlowSink();
  const writer = new FrameWriter(sink, SELF, () => undefined);
  const payloads = [1, 2, 3].map((fill) => new Uint8Array(500).fill(fill));
  const [first, second, third] = payloads;
  if (first === undefined || second === undefined || third === undefined) throw new TypeError("three payloads");
  writer.add(1, [first], 500);
  writer.flush();
  writer.add(1, [second], 500);
  const before = await sink.step();
  writer.add(1, [third], 500);
  writer.flush();
  const stream = concatBytes(before, await sink.drain());
  expect(equalBytes(stream, concatBytes(...payloads.map((payload) => frame(1, payload))))).toBe(true);
});

test("while the socket is behind, frames wait and are counted; flushAll sends them in any case", async () => {
  const sink = new SlowSink(1000);
  const writer = new FrameWriter(sink, SELF, () => undefined);
  writer.add(1, [new Uint8Array(2000)], 2000);
  writer.flush();
  writer.add(1, [new Uint8Array(100)], 100);
  writer.flush();
  expect(writer.bufferedBytes).toBe(2084 + 184);
  expect(sink.writableLength).toBe(2084);
  writer.flushAll();
  expect(sink.writableLength).toBe(2084 + 184);
  await sink.drain();
  expect(writer.bufferedBytes).toBe(0);
});

test("the stream is the frames in order, whatever sizes and flushes", async () => {
  const part = fc.oneof(fc.nat({ max: 200 }), fc.nat({ max: 9000 }), fc.constantFrom(0, 8191, 8192, 8193, 70_000));
  const step = fc.record({
    type: fc.constantFrom<FrameType>(0, 1, 2),
    sizes: fc.array(part, { maxLength: 4 }),
    flush: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const sink = new SlowSink(50_000);
      const writer = new FrameWriter(sink, SELF, () => undefined);
      const expected: Uint8Array[] = [];
      const streams: Uint8Array[] = [];
      for (const [index, { type, sizes, flush }] of steps.entries()) {
        const parts = sizes.map((size, at) => new Uint8Array(size).fill(16 * index + at));
        const payload = concatBytes(...parts);
        writer.add(type, parts, payload.length);
        expected.push(frame(type, payload));
        for (const small of parts) if (small.length < 8192) small.fill(0xee); // small parts were copied
        if (flush) {
          writer.flush();
          streams.push(await sink.drain());
        }
      }
      writer.flushAll();
      streams.push(await sink.drain());
      expect(equalBytes(concatBytes(...streams), concatBytes(...expected))).toBe(true);
    }),
    { numRuns: 60 },
  );
});
