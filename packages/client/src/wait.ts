/** Waiting that ends with the caller's signal or with the time allowed, whichever comes first. */
import { ClientError } from "./errors.js";
import type { Clock } from "./platform.js";

/** Throws if the caller has given up. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}

/** Resolves after `ms`. @throws {ClientError} `aborted` */
export async function sleep(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal);
  await new Promise<void>((resolve, reject) => {
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener("abort", give);
      resolve();
    });
    function give(): void {
      cancel();
      reject(aborted(signal));
    }
    signal?.addEventListener("abort", give, { once: true });
  });
}

/**
 * Runs one attempt for at most `ms`. The attempt gets a signal and should stop on it; even if it does not, this function returns.
 * @throws {ClientError} `aborted`; `timeout` once the time is over; and whatever the attempt throws.
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal | undefined,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  throwIfAborted(signal);
  const controller = new AbortController();
  let stop: (error: ClientError) => void = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = (error) => {
      reject(error); // first, so that this error wins over the one the attempt makes of the signal
      controller.abort(error);
    };
  });
  const cancel = clock.after(ms, () => stop(timeout(ms)));
  const give = (): void => stop(aborted(signal));
  signal?.addEventListener("abort", give, { once: true });
  try {
    return await Promise.race([stopped, attempt(controller.signal)]);
  } finally {
    cancel();
    signal?.removeEventListener("abort", give);
  }
}

function timeout(ms: number): ClientError {
  return new ClientError("timeout", `no answer within ${Math.round(ms)} ms`, { retryable: true });
}

function aborted(signal: AbortSignal | undefined): ClientError {
  return new ClientError("aborted", "the call was given up", { retryable: false, cause: signal?.reason });
}
