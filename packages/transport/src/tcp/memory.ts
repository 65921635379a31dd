/** Memory for buffers that are always written before they are read: not zeroed, not from Node's shared pool, and not a `Buffer`. */
export function allocate(bytes: number): Uint8Array {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(bytes);
  return new Uint8Array(buffer, byteOffset, bytes);
}

/** The same memory without Buffer's methods, whose `slice` means another thing than a `Uint8Array`'s. */
export function plainView(chunk: Uint8Array): Uint8Array {
  return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
