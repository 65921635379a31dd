/** Where the bytes of a ledger directory come from, without saying how: files in Node, chosen files in a browser, memory in a test. */
import { LedgerError } from "./errors.js";

/** One file of a ledger directory, readable at any offset. A browser's `File` becomes one in two lines. */
export interface LedgerFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /**
   * @param into - Memory of at least `length` bytes that may be used, or not.
   * @returns The bytes from `offset` on, exactly `length` of them unless the file ends before. The caller may keep them.
   */
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
}

/** All files of one ledger directory; names that do not belong to a ledger are skipped by the reader. */
export interface LedgerSource {
  files(): Promise<readonly LedgerFile[]>;
}

/** A ledger directory in memory. @param files - Contents by file name. Borrowed. */
export function memorySource(files: ReadonlyMap<string, Uint8Array>): LedgerSource {
  return {
    files: async () =>
      [...files].map(([name, bytes]) => ({
        name,
        size: bytes.length,
        read: async (offset, length) => bytes.subarray(offset, offset + length),
      })),
  };
}

/** Bytes asked of a file at a time: enough that opening, reading and closing it costs little beside what is then done with them. */
const WINDOW_BYTES = 1024 * 1024;

/** Reads a file front to back through one window: memory stays at the window, or at the longest piece asked for. */
export class WindowReader {
  readonly #file: LedgerFile;
  /** Read into again and again, if the caller keeps nothing: new memory costs a tenth of what is then done with it. */
  #memory: Uint8Array | undefined;
  #window: Uint8Array = new Uint8Array(0);
  #start = 0;

  /** @param options.reuse - Views handed out before are overwritten by the next `take` that has to read. Default: they never change. */
  constructor(file: LedgerFile, { reuse = false } = {}) {
    this.#file = file;
    if (reuse) this.#memory = new Uint8Array(Math.min(WINDOW_BYTES, file.size));
  }

  /**
   * The `length` bytes at `offset`. A view.
   * @throws {LedgerError} `truncated` when the file ends before.
   */
  async take(offset: number, length: number): Promise<Uint8Array> {
    const held = this.peek(offset, length);
    if (held !== undefined) return held;
    if (offset + length > this.#file.size)
      throw new LedgerError("truncated", "the file ends inside what it should hold");
    const wanted = Math.min(Math.max(length, WINDOW_BYTES), this.#file.size - offset);
    if (this.#memory !== undefined && this.#memory.length < wanted) this.#memory = new Uint8Array(wanted);
    this.#window = await this.#file.read(offset, wanted, this.#memory);
    this.#start = offset;
    if (this.#window.length < length) throw new LedgerError("truncated", "the file became shorter while it was read");
    return this.#window.subarray(0, length);
  }

  /** The same without a wait, which costs more than most entries do; `undefined` when they are not all in the window. */
  peek(offset: number, length: number): Uint8Array | undefined {
    const at = this.indexOf(offset, length);
    return at < 0 ? undefined : this.#window.subarray(at, at + length);
  }

  /** Where the `length` bytes at `offset` are in `window`; −1 when they are not all there. */
  indexOf(offset: number, length: number): number {
    const at = offset - this.#start;
    return at + length > this.#window.length ? -1 : Math.max(at, -1);
  }

  /** What was read last. */
  get window(): Uint8Array {
    return this.#window;
  }
}
