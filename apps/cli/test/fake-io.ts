/** A process that only remembers. */
import type { Io, StopSignal } from "../src/io.js";

export class FakeIo implements Io {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdoutIsTerminal = false;
  readonly stderrIsTerminal = false;
  readonly out: string[] = [];
  readonly err: string[] = [];
  /** Set to false to play a reader that has gone. */
  stdoutOpen = true;
  readonly #listeners = new Set<(signal: StopSignal) => void>();

  constructor(stdin: AsyncIterable<Uint8Array> = chunksOf()) {
    this.stdin = stdin;
  }

  async printLine(text: string): Promise<boolean> {
    if (this.stdoutOpen) this.out.push(text);
    return this.stdoutOpen;
  }

  warnLine(text: string): void {
    this.err.push(text);
  }

  onStopSignal(listener: (signal: StopSignal) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  signal(signal: StopSignal): void {
    for (const listener of this.#listeners) listener(signal);
  }

  exit(code: number): never {
    throw new Error(`exit ${code}`);
  }
}

export async function* chunksOf(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const chunk of chunks) yield typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
}
