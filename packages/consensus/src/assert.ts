/** Checks that hold unless this package or its owner has a bug (house style §9). They stay on in production. */

/** @throws {Error} when `condition` is false; `why` says why it had to hold. Never reached by anything a peer sends. */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new Error(`consensus: broken assumption: ${why}`);
}
