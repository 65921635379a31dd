/** Waiting for a condition that only answers when asked. */
import { setTimeout as delay } from "node:timers/promises";
import { DemoError } from "./errors.js";

const ASK_EVERY_MS = 40;

/**
 * Asks `check` until it gives a value other than `undefined`. An error of `check` is taken for "not yet", a `DemoError` for "never".
 * @param what - Ends the sentence "… did not happen in time": `node 1 becomes active`.
 * @throws {DemoError} after `timeoutMs`, naming `what` and the last error of `check`; the signal's reason when it aborts.
 */
export async function until<T>(
  what: string,
  check: () => T | undefined | Promise<T | undefined>,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const value = await check();
      if (value !== undefined) return value;
    } catch (error) {
      if (error instanceof DemoError) throw error;
      lastError = error;
    }
    if (Date.now() >= deadline) {
      const reason = lastError instanceof Error ? `: ${lastError.message}` : "";
      throw new DemoError(`waited ${timeoutMs} ms in vain until ${what}${reason}`, { cause: lastError });
    }
    await delay(ASK_EVERY_MS, undefined, signal === undefined ? {} : { signal });
  }
}
