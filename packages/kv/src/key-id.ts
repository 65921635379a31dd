/**
 * Keys as text. A `Map` cannot look a byte array up by content, so inside the store a key is the string that has one character,
 * U+0000 to U+00FF, for each byte. Such strings order by `<` exactly as their bytes do.
 */

/** @param key - At most `KEY_BYTES_MAX` bytes: they become arguments of one call. Borrowed. */
export function idOfKey(key: Uint8Array): string {
  return Reflect.apply(String.fromCharCode, undefined, key);
}

/** The inverse of {@link idOfKey}; freshly allocated. */
export function keyOfId(id: string): Uint8Array {
  const key = new Uint8Array(id.length);
  for (let index = 0; index < key.length; index += 1) key[index] = id.charCodeAt(index);
  return key;
}

/** Negative, zero or positive as `a` comes before, equals or comes after `b`: bytewise and unsigned, a prefix first. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let index = 0; index < shorter; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
