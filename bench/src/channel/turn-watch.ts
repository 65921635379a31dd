/** Finds the longest turn of the event loop: a loop of immediates that looks at the clock, so that nothing can hide between two samples. */
export class TurnWatch {
  #running = false;
  #lastMs = 0;
  #longestMs = 0;

  start(): void {
    this.#running = true;
    this.#longestMs = 0;
    this.#lastMs = performance.now();
    this.#look();
  }

  /** @returns µs. */
  stop(): number {
    this.#running = false;
    return this.#longestMs * 1000;
  }

  #look(): void {
    const nowMs = performance.now();
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    if (this.#running) setImmediate(() => this.#look());
  }
}
