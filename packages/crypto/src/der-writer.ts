/** Writes DER (X.690): each function gives one element, head and content, freshly allocated. */

import { concat } from "./bytes.js";
import { constructed, TAG } from "./der-reader.js";

/** @param parts - The content, one after another. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  return concat([Uint8Array.of(tag, ...lengthBytes(length)), ...parts]);
}

export function sequence(...elements: readonly Uint8Array[]): Uint8Array {
  return element(TAG.sequence, ...elements);
}

/** `[n]` around another element. */
export function explicit(n: number, inner: Uint8Array): Uint8Array {
  return element(constructed(n), inner);
}

/** A small number, 0 to 127. */
export function smallInteger(value: number): Uint8Array {
  return element(TAG.integer, Uint8Array.of(value));
}

export function octetString(content: Uint8Array): Uint8Array {
  return element(TAG.octetString, content);
}

/** @param unusedBits - At the end of the last byte; they are zero. */
export function bitString(content: Uint8Array, unusedBits = 0): Uint8Array {
  return element(TAG.bitString, Uint8Array.of(unusedBits), content);
}

/** @param dotted - At least two arcs, each a number JavaScript holds exactly. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [root = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return element(TAG.objectIdentifier, Uint8Array.from([root * 40 + second, ...rest].flatMap(base128)));
}

/** X.690 §8.1.3: the definite form in as few bytes as the length needs. */
function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  if (length < 0x1_00) return [0x81, length];
  if (length < 0x1_00_00) return [0x82, length >> 8, length & 0xff];
  throw new RangeError("an element here has less than 64 KiB");
}

/** X.690 §8.19.2. */
function base128(arc: number): readonly number[] {
  const digits = [arc % 128];
  for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift((left % 128) + 128);
  return digits;
}
