/** Where the bytes of a ledger directory come from, without saying how: files in Node, chosen files in a browser, memory in a test. */
import { LedgerError } from "./errors.js";

/** One file of a ledger directory, readable at any offset. A browser's `File` becomes one in two lines. */
export interface LedgerFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** @returns The bytes from `offset` on, exactly `length` of them unless the file ends before. The caller may keep them. */
  read(offset: number, length: number): Promise<Uint8Array>;
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
  #window: Uint8Array = new Uint8Array(0);
  #start = 0;

  constructor(file: LedgerFile) {
    this.#file = file;
  }

  /**
   * The `length` bytes at `offset`. A view, not changed by later calls.
   * @throws {LedgerError} `truncated` when the file ends before.
   */
  async take(offset: number, length: number): Promise<Uint8Array> {
    const held = this.peek(offset, length);
    if (held !== undefined) return held;
    if (offset + length > this.#file.size)
      throw new LedgerError("truncated", "the file ends inside what it should hold");
    const wanted = Math.min(Math.max(length, WINDOW_BYTES), this.#file.size - offset);
    this.#window = await this.#file.read(offset, wanted);
    this.#start = offset;
    if (this.#window.length < length) throw new LedgerError("truncated", "the file became shorter while it was read");
    return this.#window.subarray(0, length);
  }

  /** The same without a wait, which costs more than most entries do; `undefined` when they are not all in the window. */
  peek(offset: number, length: number): Uint8Array | undefined {
    const at = offset - this.#start;
    return at < 0 || at + length > this.#window.length ? undefined : this.#window.subarray(at, at + length);
  }
}
