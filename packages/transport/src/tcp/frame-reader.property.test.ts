import { concatBytes, encodeFrameHeader, FRAME_HEADER_BYTES, type FrameType, WireError } from "@sealane/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { testId } from "../testing.js";
import { ChunkReader, FIRST_SEGMENT_BYTES, type FrameSink, SEGMENT_BYTES, SegmentReader } from "./frame-reader.js";

const SENDER = testId("a");

interface Arrived {
  readonly type: FrameType;
  readonly payload: Uint8Array;
}

/** Keeps copies, and can stop after some frames. */
class Collector implements FrameSink {
  readonly arrived: Arrived[] = [];
  frameBytesMax: number;
  readonly #stopAfter: number;
  constructor(frameBytesMax: number, stopAfter = Number.POSITIVE_INFINITY) {
    this.frameBytesMax = frameBytesMax;
    this.#stopAfter = stopAfter;
  }
  handleFrame({ type }: { type: FrameType }, payload: Uint8Array): boolean {
    this.arrived.push({ type, payload: payload.slice() });
    return this.arrived.length < this.#stopAfter;
  }
}

/** Pushes a stream in pieces. */
type Feed = (pieces: readonly Uint8Array[]) => void;

const readers: Record<string, (sink: FrameSink, allocate?: (bytes: number) => Uint8Array) => Feed> = {
  SegmentReader: (sink, allocate) => {
    const reader = new SegmentReader(sink, allocate);
    return (pieces) => {
      for (const piece of pieces) {
        // The kernel gives no more than fits.
        for (let at = 0; at < piece.length; ) {
          const target = reader.nextBuffer();
          const taken = piece.subarray(at, at + target.length);
          target.set(taken);
          reader.received(taken.length);
          at += taken.length;
        }
      }
    };
  },
  ChunkReader: (sink, allocate) => {
    const reader = new ChunkReader(sink, allocate);
    return (pieces) => {
      // A chunk is only lent: it is overwritten afterwards.
      for (const piece of pieces) {
        const chunk = piece.slice();
        reader.push(chunk);
        chunk.fill(0xee);
      }
    };
  },
};

const encode = ({ type, payload }: Arrived): Uint8Array =>
  concatBytes(encodeFrameHeader(type, SENDER, payload.length), payload);

const frame = (type: FrameType, payloadBytes: number, fill = 1): Arrived => ({
  type,
  payload: new Uint8Array(payloadBytes).fill(fill),
});

/** Cuts a stream at the given places. */
function cut(stream: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places.map((place) => place % (stream.length + 1)).toSorted((a, b) => a - b), stream.length];
  return sorted.slice(1).map((end, index) => stream.subarray(sorted[index], end));
}

const frames = fc.array(
  fc.record({
    type: fc.constantFrom<FrameType>(0, 1, 2),
    payload: fc.oneof(fc.uint8Array({ maxLength: 30 }), fc.uint8Array({ minLength: 200, maxLength: 3000 })),
  }),
  { maxLength: 12 },
);

for (const [name, makeReader] of Object.entries(readers)) {
  test(`${name}: frames come out as they went in, wherever the stream is cut`, () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat({ max: 40_000 }), { maxLength: 30 }), (sent, places) => {
        const sink = new Collector(1_000_000);
        makeReader(sink)(cut(concatBytes(...sent.map(encode)), places));
        expect(sink.arrived).toEqual(sent);
      }),
    );
  });

  test(`${name}: one byte at a time`, () => {
    const sent = [frame(0, 0), frame(1, 1), frame(2, 200)];
    const sink = new Collector(1000);
    const stream = concatBytes(...sent.map(encode));
    makeReader(sink)([...stream].map((byte) => Uint8Array.of(byte)));
    expect(sink.arrived).toEqual(sent);
  });

  test(`${name}: many frames run over the end of a segment`, () => {
    const sent = Array.from({ length: 40 }, (_, index) => frame(1, 100_003 + index, index));
    const sink = new Collector(1_000_000);
    const stream = concatBytes(...sent.map(encode));
    makeReader(sink)(
      cut(
        stream,
        Array.from({ length: 60 }, (_, index) => index * 65_536),
      ),
    );
    expect(sink.arrived.length).toBe(40);
    expect(
      sink.arrived.every(({ payload }, index) => payload.length === 100_003 + index && payload.at(-1) === index),
    ).toBe(true);
  });

  test(`${name}: a frame larger than a segment, between small ones`, () => {
    const sent = [frame(1, 10), frame(1, 5 * SEGMENT_BYTES + 7, 9), frame(1, 20), frame(2, 2 * SEGMENT_BYTES, 8)];
    const sink = new Collector(64 * SEGMENT_BYTES);
    const stream = concatBytes(...sent.map(encode));
    makeReader(sink)(
      cut(
        stream,
        Array.from({ length: 120 }, (_, index) => index * 65_000),
      ),
    );
    expect(sink.arrived.map(({ payload }) => payload.length)).toEqual(sent.map(({ payload }) => payload.length));
    expect(sink.arrived[1]?.payload.every((byte) => byte === 9)).toBe(true);
    expect(sink.arrived[3]?.payload.every((byte) => byte === 8)).toBe(true);
  });

  test(`${name}: the bound is asked before every frame`, () => {
    const sink = new Collector(1000);
    const feed = makeReader(sink);
    feed([encode(frame(0, 1000 - FRAME_HEADER_BYTES))]);
    sink.frameBytesMax = 2000;
    feed([encode(frame(0, 2000 - FRAME_HEADER_BYTES))]);
    expect(sink.arrived).toHaveLength(2);
    expect(() => feed([encode(frame(0, 2001 - FRAME_HEADER_BYTES))])).toThrow(WireError);
    expect(sink.arrived).toHaveLength(2);
  });

  test(`${name}: a size over the bound is refused at its fourth byte, in one piece or in single bytes`, () => {
    const size = Uint8Array.of(0xff, 0xff, 0xff, 0xff);
    for (const pieces of [[size], [...size].map((byte) => Uint8Array.of(byte))]) {
      const sink = new Collector(65_536);
      expect(() => makeReader(sink)(pieces)).toThrow(expect.objectContaining({ code: "too-large" }));
      expect(sink.arrived).toHaveLength(0);
    }
  });

  test(`${name}: nothing is delivered after the sink has said stop`, () => {
    const stream = concatBytes(...[frame(0, 5), frame(1, 5), frame(2, 5)].map(encode));
    for (const places of [[], [100], [10, 95, 180]]) {
      const sink = new Collector(1000, 1);
      const feed = makeReader(sink);
      feed(cut(stream, places));
      expect(sink.arrived).toHaveLength(1);
    }
  });

  test(`${name}: memory follows what has arrived, not what the size field claims`, () => {
    let allocated = 0;
    const sink = new Collector(64 * 1024 * 1024);
    const feed = makeReader(sink, (bytes) => {
      allocated = bytes; // the latest one; those before it are garbage
      return new Uint8Array(bytes);
    });
    const header = encodeFrameHeader(1, SENDER, 60_000_000);
    feed([header, new Uint8Array(1000)]);
    expect(allocated).toBeLessThanOrEqual(1024 * 1024);
    feed([new Uint8Array(3 * 1024 * 1024)]);
    expect(allocated).toBeLessThanOrEqual(8 * 1024 * 1024);
  });

  test(`${name}: any bytes give frames or a WireError`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat({ max: 400 })), (garbage, places) => {
        try {
          makeReader(new Collector(65_536))(cut(garbage, places));
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
    );
  });
}

test("a segment begins small, and becomes a whole one once a read has filled it", () => {
  const reader = new SegmentReader(new Collector(SEGMENT_BYTES));
  const stream = concatBytes(...Array.from({ length: 64 }, () => encode(frame(1, 1024 - FRAME_HEADER_BYTES))));
  const read = (bytes: Uint8Array): number => {
    const buffer = reader.nextBuffer();
    buffer.set(bytes);
    reader.received(bytes.length);
    return buffer.length;
  };
  expect(read(stream.subarray(0, 1024))).toBe(FIRST_SEGMENT_BYTES);
  expect(read(stream)).toBe(FIRST_SEGMENT_BYTES);
  expect(read(stream)).toBe(SEGMENT_BYTES);
});
