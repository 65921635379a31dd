/** The recorded messages of a CCF channel (shared/vectors/channel-v1.json) pass through the codecs and come out byte for byte the same. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import {
  consensusHeaderBytes,
  decodeConsensus,
  decodeForwardedHeader,
  decodeHandshakeV1,
  encodeConsensus,
  encodeForwardedHeader,
  encodeFrameHeader,
  encodeHandshakeV1,
  FRAME_CHANNEL,
  FRAME_CONSENSUS,
  forwardedHeaderBytes,
  fromHex,
  hex,
  parseFrameHead,
  WireError,
} from "../src/index.js";

interface Message {
  readonly id: string;
  readonly by: string;
  readonly from_id: string;
  readonly msg_type: number;
  readonly frame_header?: string;
  readonly payload: string;
  readonly decoded: { readonly kind: string; readonly trailing?: string; readonly aad?: string };
}
interface Event {
  readonly crafted?: Message;
  readonly emitted?: readonly Message[];
  readonly result?: string;
}
interface Vectors {
  readonly cases: readonly {
    readonly name: string;
    readonly events: readonly Event[];
  }[];
}

const repository = fileURLToPath(new URL("../../..", import.meta.url));
const shared = process.env.SEALANE_SHARED ?? path.join(repository, "..", "shared");
const file = path.join(shared, "vectors", "channel-v1.json");
const available = existsSync(file);
const title = available ? "" : ` (skipped: no ${file})`;

function events(): readonly Event[] {
  const vectors = JSON.parse(readFileSync(file, "utf8")) as Vectors; // the form its "_about" describes
  return vectors.cases.flatMap((one) => one.events);
}

function messages(): readonly Message[] {
  return events().flatMap(({ crafted, emitted }) => [...(emitted ?? []), ...(crafted === undefined ? [] : [crafted])]);
}

test.skipIf(!available)(`key exchange messages of CCF nodes re-encode to the same bytes${title}`, () => {
  const emitted = messages().filter(({ by, msg_type }) => by !== "crafted" && msg_type === FRAME_CHANNEL);
  expect(emitted.length).toBeGreaterThan(100);
  for (const { payload, decoded } of emitted) {
    const message = decodeHandshakeV1(fromHex(payload));
    expect(`key_exchange_${message.kind}`).toBe(decoded.kind);
    expect(hex(encodeHandshakeV1(message))).toBe(payload);
  }
});

test.skipIf(!available)(`consensus and forwarded headers of CCF nodes re-encode to the same bytes${title}`, () => {
  const version = 1;
  let checked = 0;
  for (const { by, msg_type, payload, decoded } of messages()) {
    if (by === "crafted" || msg_type === FRAME_CHANNEL || decoded.aad === undefined) continue;
    const bytes = fromHex(payload);
    if (msg_type === FRAME_CONSENSUS) {
      const header = bytes.subarray(0, consensusHeaderBytes(bytes, { version }));
      expect(hex(header)).toBe(decoded.aad);
      expect(hex(encodeConsensus(decodeConsensus(header, { version }).message, undefined, { version }))).toBe(
        decoded.aad,
      );
      checked++;
    } else if (bytes[0] === 4 || bytes[0] === 5) {
      const header = bytes.subarray(0, forwardedHeaderBytes(bytes));
      expect(hex(header)).toBe(decoded.aad);
      expect(hex(encodeForwardedHeader(decodeForwardedHeader(header, { version }), { version }))).toBe(decoded.aad);
      checked++;
    }
  }
  expect(checked).toBeGreaterThan(100);
});

test.skipIf(!available)(`frame headers of CCF nodes are read and written${title}`, () => {
  const framed = messages().filter((message) => message.frame_header !== undefined);
  expect(framed.length).toBeGreaterThan(5);
  for (const { frame_header = "", payload, from_id, msg_type } of framed) {
    const bytes = fromHex(frame_header + payload);
    const head = parseFrameHead(bytes, 0, bytes.length, bytes.length);
    if (head === undefined) throw new Error("the head is there");
    expect(head).toEqual({ type: msg_type, sender: from_id, payloadOffset: 84, frameEnd: bytes.length });
    expect(hex(encodeFrameHeader(head.type, head.sender, bytes.length - 84))).toBe(frame_header);
  }
});

test.skipIf(!available)(`what is refused here was refused by CCF, and a final's tail is let pass${title}`, () => {
  let refused = 0;
  for (const { crafted, result } of events()) {
    if (crafted === undefined || crafted.msg_type !== FRAME_CHANNEL) continue;
    try {
      const { kind } = decodeHandshakeV1(fromHex(crafted.payload));
      if (crafted.decoded.trailing !== undefined) expect(kind).toBe("final");
    } catch (error) {
      expect(error).toBeInstanceOf(WireError);
      expect(result, crafted.id).toBe("false");
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(10);
});
