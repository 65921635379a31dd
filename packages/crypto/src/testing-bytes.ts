/** Bytes as tests write them: text, hex, and a copy with one bit changed. */

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function bytes(hexText: string): Uint8Array {
  return Uint8Array.from(hexText.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function hex(data: Uint8Array | undefined): string {
  return Array.from(data ?? [], (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function flipped(original: Uint8Array, at: number): Uint8Array {
  const copy = original.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
