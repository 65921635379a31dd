/**
 * Many writes under way at once, their answers in the order of the lines. Bounded: a record holds its place from the moment it is sent
 * until its answer is out, so neither unanswered nor unprinted records pile up.
 */

export interface KeyedRecord {
  /** Of the input, from 1. */
  readonly line: number;
  readonly key: string;
  readonly value: unknown;
}

export interface Pipeline {
  /** Writes one record; returns its transaction id once it is committed. */
  readonly put: (record: KeyedRecord) => Promise<string>;
  /** Called for each committed record in the order of the input, one at a time. */
  readonly emit: (record: KeyedRecord, txId: string) => Promise<void>;
  /** Records on their way at one time, at least 1. */
  readonly inFlightMax: number;
  /** Ends the reading of records. Whether writes under way end as well is for `put`. */
  readonly signal?: AbortSignal;
}

/** What came of the input. Without a failure every record is committed and emitted. */
export interface Outcome {
  readonly committed: number;
  /** The write that failed, of several the one nearest to the start. */
  readonly failed?: { readonly record: KeyedRecord; readonly error: unknown };
  /** The input broke off: nothing behind that point was sent. */
  readonly inputError?: unknown;
}

/** Never throws. After the first failure nothing more is sent; what is under way is waited for, and emitted if it is committed. */
export async function appendInOrder(records: AsyncIterable<KeyedRecord>, pipeline: Pipeline): Promise<Outcome> {
  const { put, emit, inFlightMax, signal } = pipeline;
  const places = new Places(inFlightMax);
  const stop = new Stop(signal);
  const failures: { record: KeyedRecord; error: unknown }[] = [];
  let committed = 0;
  let emitted = Promise.resolve();

  const send = (record: KeyedRecord): void => {
    const answer = put(record).catch((error: unknown) => {
      failures.push({ record, error });
      stop.now();
      return undefined;
    });
    emitted = emitted.then(async () => {
      const txId = await answer;
      if (txId !== undefined) {
        await emit(record, txId);
        committed += 1;
      }
      places.leave();
    });
  };

  let input: { readonly error: unknown } | undefined;
  try {
    const source = records[Symbol.asyncIterator]();
    while (!stop.requested) {
      // An idle input must not delay the news of a failure. The generator is left as it is then: it may wait for a line that never comes.
      const next = await Promise.race([source.next(), stop.promise]);
      if (next === undefined || next.done === true) break;
      await places.enter();
      if (!stop.requested) send(next.value);
    }
  } catch (error) {
    input = { error };
  }
  await emitted;
  const [failed] = failures.sort((a, b) => a.record.line - b.record.line);
  return { committed, ...(failed && { failed }), ...(input && { inputError: input.error }) };
}

/** A counting semaphore for one waiter. */
class Places {
  #free: number;
  #wake: (() => void) | undefined;

  constructor(places: number) {
    this.#free = places;
  }

  async enter(): Promise<void> {
    if (this.#free === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#free -= 1;
  }

  leave(): void {
    this.#free += 1;
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** A request to stop, as a flag and as a promise. */
class Stop {
  requested = false;
  readonly promise: Promise<undefined>;
  #resolve: (value: undefined) => void = () => {};

  constructor(signal: AbortSignal | undefined) {
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (signal?.aborted) this.now();
    signal?.addEventListener("abort", () => this.now(), { once: true });
  }

  now(): void {
    this.requested = true;
    this.#resolve(undefined);
  }
}
