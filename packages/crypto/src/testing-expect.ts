/** What the conformance tests expect over and over. */

import { expect } from "vitest";

/** A plain Uint8Array, not a Buffer: its methods differ, `slice` above all. */
export function expectPlain(value: unknown): void {
  expect(Object.getPrototypeOf(value)).toBe(Uint8Array.prototype);
}

export function expectRefusal(attempt: () => unknown, code: string): void {
  expect(attempt).toThrow(expect.objectContaining({ name: "CryptoError", code }));
}
