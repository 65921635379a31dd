/** The laws every binary codec of this package keeps, over one table of all of them. */
import fc, { type Arbitrary } from "fast-check";
import { describe, expect, test } from "vitest";
import { type NodeId, seqno, VIEW_MAX, view } from "./brands.js";
import { concatBytes, hex, utf8 } from "./bytes.js";
import { consensusHeaderBytes, decodeConsensus, encodeConsensus } from "./consensus.js";
import type { ConsensusMessage, ElectionType } from "./consensus-message.js";
import { WireError } from "./errors.js";
import {
  decodeForwardedHeader,
  decodeForwardedRequest,
  decodeForwardedResponse,
  encodeForwardedHeader,
  encodeForwardedRequest,
  encodeForwardedResponse,
  forwardedHeaderBytes,
} from "./forwarded.js";
import { encodeFrameHeader, type FrameType, parseFrameHead } from "./frame.js";
import {
  decodeHandshake,
  decodeRecordTrailer,
  encodeConfirm,
  encodeFinalUnsigned,
  encodeInitUnsigned,
  encodeRecordTrailer,
  encodeResponseUnsigned,
} from "./handshake.js";
import { decodeHandshakeV1, encodeHandshakeV1, type HandshakeMessageV1 } from "./handshake-v1.js";
import { nodeIdFromBytes } from "./ids.js";

interface Codec {
  readonly name: string;
  /** Encodings of arbitrary messages. */
  readonly encoded: Arbitrary<Uint8Array>;
  readonly decode: (bytes: Uint8Array) => unknown;
  /** Encodes what `decode` returned. */
  readonly encode: (decoded: never) => Uint8Array;
  /** A signature is 96 or 64 bytes: cutting 32 off the longer leaves another well-formed message. It never verifies. */
  readonly cutTaken?: number;
}

const bytesOf = (length: number): Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const someBytes = (minLength: number): Arbitrary<Uint8Array> => fc.uint8Array({ minLength, maxLength: 40 });
const u64 = fc.oneof(fc.nat(300), fc.maxSafeNat());
const someView = fc.oneof(fc.nat(9), fc.nat(VIEW_MAX)).map(view);
const someSeqno = u64.map(seqno);
const election = fc.constantFrom<ElectionType>(0, 1);
const nodeId: Arbitrary<NodeId> = bytesOf(32).map(nodeIdFromBytes);
const signature = fc.oneof(bytesOf(96), bytesOf(64));

const appendEntries = fc
  .record({
    first: u64,
    second: u64,
    view: someView,
    prevView: someView,
    commitSeqno: someSeqno,
    viewOfSeqno: someView,
  })
  .map(({ first, second, ...rest }) => ({
    type: "append-entries" as const,
    seqno: seqno(Math.max(first, second)),
    prevSeqno: seqno(Math.min(first, second)),
    ...rest,
  }));
const otherConsensus: Arbitrary<ConsensusMessage> = fc.oneof(
  fc.record({
    type: fc.constant("append-entries-response" as const),
    view: someView,
    lastSeqno: someSeqno,
    success: fc.boolean(),
  }),
  fc.record({
    type: fc.constant("request-vote" as const),
    view: someView,
    lastCommittableSeqno: someSeqno,
    viewOfLastCommittableSeqno: someView,
    election,
  }),
  fc.record({ type: fc.constant("request-vote-response" as const), view: someView, granted: fc.boolean(), election }),
  fc.record({ type: fc.constant("propose-request-vote" as const), view: someView }),
);

const forwardedHeader = fc.oneof(
  fc.record({ type: fc.constant("command" as const), commandId: u64, view: someView }),
  fc.record({ type: fc.constant("response" as const), commandId: u64, terminateSession: fc.boolean() }),
);
const forwardedRequest = fc.record(
  {
    sessionId: u64,
    callerCertificate: someBytes(1),
    method: fc.constantFrom("GET", "PUT", "POST", "DELETE"),
    path: fc.string({ unit: "grapheme-ascii" }).map((text) => `/${text.replaceAll(" ", "")}`),
    body: someBytes(0),
  },
  { requiredKeys: ["sessionId", "method", "path", "body"] },
);

const exchange = { nonce: bytesOf(32), share: bytesOf(97), certificate: someBytes(1) };
const trailer = fc.record({ keyId: bytesOf(4), counter: u64.filter((value) => value > 0), tag: bytesOf(16) });
const handshake: Arbitrary<Uint8Array> = fc.oneof(
  fc
    .tuple(fc.record({ initiator: nodeId, responder: nodeId, ...exchange }), signature)
    .map(([fields, end]) => concatBytes(encodeInitUnsigned(fields), end)),
  fc
    .tuple(fc.record({ handshakeId: bytesOf(8), ...exchange }), signature)
    .map(([fields, end]) => concatBytes(encodeResponseUnsigned(fields), end)),
  fc.tuple(bytesOf(8), signature).map(([id, end]) => concatBytes(encodeFinalUnsigned(id), end)),
  fc.tuple(bytesOf(8), trailer).map(([id, end]) => concatBytes(encodeConfirm(id), encodeRecordTrailer(end))),
);

function encodeHandshake(message: ReturnType<typeof decodeHandshake>): Uint8Array {
  switch (message.kind) {
    case "init":
      return concatBytes(encodeInitUnsigned(message), message.signature);
    case "response":
      return concatBytes(encodeResponseUnsigned(message), message.signature);
    case "final":
      return concatBytes(encodeFinalUnsigned(message.handshakeId), message.signature);
    case "confirm":
      return concatBytes(encodeConfirm(message.handshakeId), encodeRecordTrailer(message));
  }
}

const handshakeV1: Arbitrary<HandshakeMessageV1> = fc.oneof(
  fc.record({
    kind: fc.constant("init" as const),
    share: someBytes(1),
    signature: someBytes(1),
    certificate: someBytes(1),
    salt: someBytes(1),
  }),
  fc.record({
    kind: fc.constant("response" as const),
    share: someBytes(1),
    signature: someBytes(1),
    certificate: someBytes(1),
  }),
);

/** The laws exclude what version 1 lets pass: bytes behind a final. Its own test has the final. */
function decodeWithoutFinal(bytes: Uint8Array): HandshakeMessageV1 {
  const message = decodeHandshakeV1(bytes);
  if (message.kind === "final") throw new WireError("unknown-kind", "a final");
  return message;
}

const CODECS: readonly Codec[] = [
  ...([1, 2] as const).map(
    (version): Codec => ({
      name: `consensus header, version ${version}`,
      encoded: fc.oneof(
        fc
          .tuple(appendEntries, bytesOf(32))
          .map(([message, digest]) => encodeConsensus(message, version === 2 ? digest : undefined, { version })),
        otherConsensus.map((message) => encodeConsensus(message, undefined, { version })),
      ),
      decode: (bytes) => decodeConsensus(bytes, { version }),
      encode: ({ message, entriesDigest }: ReturnType<typeof decodeConsensus>) =>
        encodeConsensus(message, entriesDigest, { version }),
    }),
  ),
  {
    name: "forwarded header",
    encoded: forwardedHeader.map((header) => encodeForwardedHeader(header)),
    decode: (bytes) => decodeForwardedHeader(bytes),
    encode: (header: ReturnType<typeof decodeForwardedHeader>) => encodeForwardedHeader(header),
  },
  {
    name: "forwarded request",
    encoded: forwardedRequest.map(encodeForwardedRequest),
    decode: decodeForwardedRequest,
    encode: encodeForwardedRequest,
  },
  {
    name: "forwarded response",
    encoded: fc
      .record({ sessionId: u64, status: fc.integer({ min: 200, max: 599 }), body: someBytes(0) })
      .map(encodeForwardedResponse),
    decode: decodeForwardedResponse,
    encode: encodeForwardedResponse,
  },
  { name: "key exchange", encoded: handshake, decode: decodeHandshake, encode: encodeHandshake, cutTaken: 32 },
  {
    name: "record trailer",
    encoded: trailer.map(encodeRecordTrailer),
    decode: decodeRecordTrailer,
    encode: encodeRecordTrailer,
  },
  {
    name: "key exchange, version 1 without final",
    encoded: handshakeV1.map(encodeHandshakeV1),
    decode: decodeWithoutFinal,
    encode: encodeHandshakeV1,
  },
];

/** What came out, or `undefined` when the codec refused; any error but a WireError fails the test. */
function accepted(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

describe.each(CODECS)("$name", ({ encoded, decode, encode, cutTaken }) => {
  // The table gives each codec's own `encode` what its own `decode` returned.
  const reencode = (decoded: unknown): string => hex(encode(decoded as never));

  test("encode ∘ decode is the identity on encoded messages", () => {
    fc.assert(fc.property(encoded, (bytes) => reencode(decode(bytes)) === hex(bytes)));
  });

  test("any truncation is refused", () => {
    fc.assert(
      fc.property(encoded, (bytes) => {
        for (let length = 0; length < bytes.length; length++) {
          const cut = accepted(decode, bytes.subarray(0, length));
          if (cut !== undefined && bytes.length - length !== cutTaken) return false;
        }
        return true;
      }),
      { numRuns: 30 },
    );
  });

  test("any trailing byte is refused", () => {
    fc.assert(
      fc.property(encoded, fc.uint8Array({ minLength: 1, maxLength: 31 }), (bytes, behind) => {
        return accepted(decode, concatBytes(bytes, behind)) === undefined;
      }),
    );
  });

  test("a message with a byte changed is refused or is another message in its one spelling", () => {
    fc.assert(
      fc.property(encoded, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, at, change) => {
        const changed = bytes.slice();
        const index = at % bytes.length;
        changed[index] = (changed[index] ?? 0) ^ change;
        const decoded = accepted(decode, changed);
        return decoded === undefined || reencode(decoded) === hex(changed);
      }),
      { numRuns: 500 },
    );
  });

  test("arbitrary bytes give a value or a WireError", () => {
    const kind = fc.constantFrom(0, 1, 2, 3, 4, 5, 16, 17, 18, 19);
    const behindAKind = fc
      .tuple(kind, fc.uint8Array({ maxLength: 120 }))
      .map(([first, rest]) => concatBytes(Uint8Array.of(first, 0, 0, 0, 0, 0, 0, 0), rest));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), behindAKind), (bytes) => {
        const decoded = accepted(decode, bytes);
        return decoded === undefined || reencode(decoded).length > 0;
      }),
      { numRuns: 500 },
    );
  });
});

test("frame heads: arbitrary bytes give a head, a wait or a WireError, and never a frame over the bound", () => {
  const arbitraryHead = fc
    .tuple(fc.constantFrom<FrameType>(0, 1, 2), nodeId, fc.nat(100_000), fc.nat(83), fc.nat(255))
    .map(([type, sender, payloadBytes, at, value]) => {
      const head = encodeFrameHeader(type, sender, payloadBytes);
      head[at] = value;
      return head;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), arbitraryHead), fc.nat(70_000), (bytes, maxBytes) => {
      try {
        const head = parseFrameHead(bytes, 0, bytes.length, maxBytes);
        if (head === undefined) expect(bytes.length).toBeLessThan(84);
        else expect(head.frameEnd).toBeLessThanOrEqual(maxBytes);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 1000 },
  );
});

test("header lengths: arbitrary bytes give a length within the payload or a WireError", () => {
  fc.assert(
    fc.property(fc.nat(7), fc.uint8Array({ maxLength: 100 }), (kind, rest) => {
      const payload = concatBytes(Uint8Array.of(kind, 0, 0, 0, 0, 0, 0, 0), rest);
      for (const length of [consensusHeaderBytes, forwardedHeaderBytes]) {
        for (const bytes of [payload, rest]) {
          const found = accepted(length, bytes);
          if (typeof found === "number" && found > bytes.length) return false;
        }
      }
      return true;
    }),
  );
});

test("a session id survives as a number only up to 2^53 - 1", () => {
  const bytes = encodeForwardedResponse({ sessionId: Number.MAX_SAFE_INTEGER, status: 200, body: utf8("") });
  expect(decodeForwardedResponse(bytes).sessionId).toBe(Number.MAX_SAFE_INTEGER);
  bytes[6] = 0x20;
  expect(() => decodeForwardedResponse(bytes)).toThrow(expect.objectContaining({ code: "out-of-range" }));
});
