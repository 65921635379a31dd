/** DER by hand, so that it can be written wrongly: elements as bytes, and a way to change one of them wherever it stands. */

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element with the shortest length DER has. */
export function tlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = join(...contents);
  return join(Uint8Array.of(tag, ...shortestLength(content.length)), content);
}

export function sequence(...elements: readonly Uint8Array[]): Uint8Array {
  return tlv(TAG.sequence, ...elements);
}

export function integer(...bytes: readonly number[]): Uint8Array {
  return tlv(TAG.integer, Uint8Array.from(bytes));
}

export function text(tag: number, value: string): Uint8Array {
  return tlv(tag, new TextEncoder().encode(value));
}

/** @param dotted - Of at least two arcs. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const arcs = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
    return digits;
  });
  return tlv(TAG.oid, Uint8Array.from(arcs));
}

export function contentOf(element: Uint8Array): Uint8Array {
  return element.subarray(headBytes(element));
}

/** The elements that stand one after another in the content of a constructed one. */
export function elementsOf(element: Uint8Array): readonly Uint8Array[] {
  const elements: Uint8Array[] = [];
  for (let rest = contentOf(element); rest.length > 0; ) {
    const end = headBytes(rest) + contentBytes(rest);
    elements.push(rest.subarray(0, end));
    rest = rest.subarray(end);
  }
  return elements;
}

/**
 * @param path - Indexes from the outside in; empty for the element itself.
 * @returns The element with one inside it changed, and every length around that set right.
 */
export function edit(
  element: Uint8Array,
  path: readonly number[],
  change: (element: Uint8Array) => Uint8Array,
): Uint8Array {
  const [index, ...rest] = path;
  if (index === undefined) return change(element);
  const inner = elementsOf(element);
  const target = inner[index];
  if (target === undefined) throw new Error(`there is no element ${index}`);
  return tlv(element[0] ?? 0, ...inner.slice(0, index), edit(target, rest, change), ...inner.slice(index + 1));
}

export function at(element: Uint8Array, path: readonly number[]): Uint8Array {
  const [index, ...rest] = path;
  if (index === undefined) return element;
  const inner = elementsOf(element)[index];
  if (inner === undefined) throw new Error(`there is no element ${index}`);
  return at(inner, rest);
}

/** BER that DER forbids: the length in one byte more than it needs. */
export function withLongLength(element: Uint8Array): Uint8Array {
  const content = contentOf(element);
  return join(Uint8Array.of(element[0] ?? 0, 0x83, 0, content.length >> 8, content.length & 0xff), content);
}

/** BER that DER forbids: no length, and two zero bytes at the end. */
export function withIndefiniteLength(element: Uint8Array): Uint8Array {
  return join(Uint8Array.of(element[0] ?? 0, 0x80), contentOf(element), Uint8Array.of(0, 0));
}

/** BER that DER forbids: a string as a series of strings. */
export function inParts(element: Uint8Array): Uint8Array {
  const tag = element[0] ?? 0;
  return tlv(tag | 0x20, tlv(tag, contentOf(element)));
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** An element with one byte of its content replaced; negative offsets count from the end. */
export function withByte(element: Uint8Array, offset: number, change: (byte: number) => number): Uint8Array {
  const changed = element.slice();
  const place = offset < 0 ? element.length + offset : headBytes(element) + offset;
  changed[place] = change(changed[place] ?? 0);
  return changed;
}

function shortestLength(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

function headBytes(element: Uint8Array): number {
  const first = element[1] ?? 0;
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
}

function contentBytes(element: Uint8Array): number {
  const first = element[1] ?? 0;
  if (first < 0x80) return first;
  return element.subarray(2, headBytes(element)).reduce((length, byte) => length * 256 + byte, 0);
}
