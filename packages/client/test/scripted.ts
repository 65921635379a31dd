/** A service that answers from a script, and a clock that moves only when everybody waits. */
import type { Clock, Fetch, FetchInit } from "../src/index.js";

export interface Seen {
  readonly url: string;
  readonly method: string;
  readonly body: string | undefined;
  readonly atMs: number;
}

/** What the fake fetch does next: answer, reject, or never come back. */
export type Step = { readonly status: number; readonly json?: unknown; readonly text?: string } | Error | "hang";

export class Script {
  readonly seen: Seen[] = [];
  readonly clock = new ManualClock();
  readonly #steps: Step[];
  constructor(...steps: Step[]) {
    this.#steps = steps;
  }

  readonly fetch: Fetch = async (url: string, init: FetchInit) => {
    this.seen.push({ url, method: init.method, body: init.body, atMs: this.clock.nowMs() });
    // The last step repeats, so that a script can end in "and so on".
    const step = this.#steps.length > 1 ? this.#steps.shift() : this.#steps[0];
    if (step === undefined || step === "hang") return await new Promise<never>(() => {});
    if (step instanceof Error) throw step;
    return { status: step.status, text: async () => step.text ?? JSON.stringify(step.json) };
  };

  /** Goes on with these, whatever was left. */
  goOn(...steps: Step[]): void {
    this.#steps.splice(0, this.#steps.length, ...steps);
  }

  get urls(): string[] {
    return this.seen.map(({ url }) => url);
  }
}

/** Time jumps to the next timer whenever nothing else is left to do. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly callback: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** Settles `work` by running timers in order as long as it waits. */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    work.then(note, note);
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve)); // lets all microtasks run
      if (settled) return await work;
      const next = this.#timers.sort((a, b) => a.atMs - b.atMs).shift();
      if (next === undefined) throw new Error("the work waits for something that is not a timer");
      this.#nowMs = next.atMs;
      next.callback();
    }
  }
}

export function refusal(code: string, status: number, retryable: boolean, txId?: string): Step {
  return { status, json: { error: { code, message: `scripted ${code}`, retryable, ...(txId && { txId }) } } };
}

export function committed(txId: string, created = true): Step {
  return { status: 200, json: { txId, status: "committed", created } };
}
