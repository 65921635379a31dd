import { createCipheriv } from "node:crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { concatBytes, decodeRecordTrailer, encodeRecordTrailer, FRAME_CONSENSUS, FRAME_FORWARDED } from "@sealane/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RECORDS_MAX } from "./limits.js";
import { ReceiveKey } from "./receive-key.js";
import { recordFormatV2 } from "./record-v2.js";
import { SendKey } from "./send-key.js";

const secrets = () => ({
  key: new Uint8Array(32).fill(7),
  iv: Uint8Array.from({ length: 12 }, (_, index) => 0xa0 + index),
  keyId: Uint8Array.of(1, 2, 3, 0xff),
});
const HEADER = Uint8Array.of(10, 20, 30);
const counters = fc.integer({ min: 1, max: RECORDS_MAX });

/** The nonce as the specification writes it, with big integers: iv XOR (0⁴ ‖ counter as big-endian u64). */
function slowNonce(iv: Uint8Array, counter: number): Uint8Array {
  const padded = new Uint8Array(12);
  new DataView(padded.buffer).setBigUint64(4, BigInt(counter));
  return padded.map((byte, index) => byte ^ (iv[index] ?? 0));
}

function openAt(key: ReceiveKey, headerBytes: number, payload: Uint8Array): ReturnType<ReceiveKey["open"]> {
  return key.open(FRAME_CONSENSUS, payload.subarray(0, headerBytes), payload);
}

describe("recordFormatV2", () => {
  it("writes the trailer that wire draws, and reads it back, for every counter", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        counters,
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (keyId, counter, tag) => {
          const trailer = new Uint8Array(28).fill(0xee);
          recordFormatV2.writeTrailer(trailer, keyId, counter, tag);
          expect(trailer).toEqual(encodeRecordTrailer({ keyId, counter, tag }));
          const payload = concatBytes(HEADER, trailer);
          expect(recordFormatV2.readKeyId(payload, 3)).toBe(
            new DataView(keyId.buffer, keyId.byteOffset).getUint32(0, true),
          );
          expect(recordFormatV2.readCounter(payload, 3)).toBe(counter);
          const read = new Uint8Array(16).fill(0xee);
          recordFormatV2.readTag(read, payload, 3);
          expect(read).toEqual(tag);
        },
      ),
    );
  });

  it("makes the nonce of the specification for every counter", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), counters, (iv, counter) => {
        const nonce = new Uint8Array(12);
        recordFormatV2.writeNonce(nonce, iv, counter);
        expect(nonce).toEqual(slowNonce(iv, counter));
      }),
    );
  });

  it("reads counters above 32 bits as large, not as their low half", () => {
    const trailer = new Uint8Array(28);
    new DataView(trailer.buffer).setBigUint64(4, 2n ** 32n + 5n, true);
    expect(recordFormatV2.readCounter(trailer, 0)).toBe(2 ** 32 + 5);
    new DataView(trailer.buffer).setBigUint64(4, 2n ** 64n - 1n, true);
    expect(recordFormatV2.readCounter(trailer, 0)).toBeGreaterThan(RECORDS_MAX);
  });
});

describe("SendKey", () => {
  it("seals what an independent AES-256-GCM seals over frame type ‖ header", () => {
    const send = new SendKey(nativeSuite, recordFormatV2, secrets());
    send.sealHeader(FRAME_CONSENSUS, HEADER);
    const sealed = send.seal(FRAME_FORWARDED, HEADER, Uint8Array.of(1, 2, 3, 4));
    const { iv, key } = secrets();
    const cipher = createCipheriv("aes-256-gcm", key, slowNonce(iv, 2));
    cipher.setAAD(Uint8Array.of(2, ...HEADER));
    const ciphertext = cipher.update(Uint8Array.of(1, 2, 3, 4));
    cipher.final();
    expect(decodeRecordTrailer(sealed.subarray(0, 28))).toEqual({
      keyId: secrets().keyId,
      counter: 2,
      tag: Uint8Array.from(cipher.getAuthTag()),
    });
    expect(sealed.subarray(28)).toEqual(Uint8Array.from(ciphertext));
  });

  it("counts from 1 and wipes the key bytes it was made of", () => {
    const given = secrets();
    const send = new SendKey(nativeSuite, recordFormatV2, given);
    expect(given.key).toEqual(new Uint8Array(32));
    expect([1, 2, 3].map(() => decodeRecordTrailer(send.sealHeader(FRAME_CONSENSUS, HEADER)).counter)).toEqual([
      1, 2, 3,
    ]);
    expect(send.sent).toBe(3);
  });

  it("costs one AEAD call per header, and spends the nonce of a call that throws", () => {
    const nonces: string[] = [];
    let fails = false;
    const suite = {
      ...nativeSuite,
      wipe: () => {},
      aead: () => ({
        open: () => undefined,
        seal: (nonce: Uint8Array) => {
          nonces.push(nonce.join());
          if (fails) throw new Error("no more memory");
          return { ciphertext: new Uint8Array(0), tag: new Uint8Array(16) };
        },
      }),
    };
    const send = new SendKey(suite, recordFormatV2, secrets());
    send.sealHeader(FRAME_CONSENSUS, HEADER);
    fails = true;
    expect(() => send.sealHeader(FRAME_CONSENSUS, HEADER)).toThrow("no more memory");
    fails = false;
    send.sealHeader(FRAME_CONSENSUS, HEADER);
    expect(nonces).toHaveLength(3);
    expect(new Set(nonces).size).toBe(3);
  });

  it("throws after it was wiped", () => {
    const send = new SendKey(nativeSuite, recordFormatV2, secrets());
    send.wipe();
    expect(() => send.sealHeader(FRAME_CONSENSUS, HEADER)).toThrow(TypeError);
  });
});

describe("ReceiveKey", () => {
  const pair = () => ({
    send: new SendKey(nativeSuite, recordFormatV2, secrets()),
    receive: new ReceiveKey(nativeSuite, recordFormatV2, secrets(), "00"),
  });
  const record = (send: SendKey) => concatBytes(HEADER, send.sealHeader(FRAME_CONSENSUS, HEADER));

  it("accepts gaps and no counter at or below the last accepted one", () => {
    const { send, receive } = pair();
    const records = Array.from({ length: 5 }, () => record(send));
    const open = (index: number) => openAt(receive, 3, records[index] ?? new Uint8Array(0));
    expect(open(1)).toEqual(new Uint8Array(0));
    expect(open(1)).toBe("replayed-counter");
    expect(open(0)).toBe("replayed-counter");
    expect(open(4)).toEqual(new Uint8Array(0));
    expect(open(3)).toBe("replayed-counter");
    expect(receive.received).toBe(2);
    expect(receive.failedOpens).toBe(0);
  });

  it("changes nothing but the failure count for a failed tag", () => {
    const { send, receive } = pair();
    const genuine = record(send);
    const forged = genuine.slice();
    forged[3 + 4] = 200; // a counter far ahead
    expect(openAt(receive, 3, forged)).toBe("bad-tag");
    expect(receive.failedOpens).toBe(1);
    expect(openAt(receive, 3, genuine)).toEqual(new Uint8Array(0));
  });

  it("refuses counter 0, one above the limit of a key, and one above 2^32, without an AEAD call", () => {
    const { send, receive } = pair();
    const at = (counter: bigint) => {
      const bytes = record(send);
      new DataView(bytes.buffer).setBigUint64(3 + 4, counter, true);
      return openAt(receive, 3, bytes);
    };
    expect(at(0n)).toBe("replayed-counter");
    expect(at(BigInt(RECORDS_MAX) + 1n)).toBe("counter-too-high");
    expect(at(2n ** 32n + 1n)).toBe("counter-too-high");
    expect(at(2n ** 64n - 1n)).toBe("counter-too-high");
    expect(receive.failedOpens).toBe(0);
  });

  it("opens headers of any length in any order with the same buffers", () => {
    const { send, receive } = pair();
    for (const length of [0, 1, 89, 1_000, 89, 3]) {
      const header = new Uint8Array(length).fill(length);
      const payload = concatBytes(header, send.sealHeader(FRAME_CONSENSUS, header));
      expect(openAt(receive, length, payload)).toEqual(new Uint8Array(0));
    }
  });
});
