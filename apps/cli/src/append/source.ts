/** Where the lines come from: a file, which is read once beforehand, or a stream, which cannot be. */
import { createHash, randomBytes } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { CliError, errorCode } from "../cli-error.js";
import type { Io } from "../io.js";

/** Hex digits of a derived prefix: 64 bits, so that different files meet only by intent. */
const PREFIX_DIGITS = 16;

export interface Source {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** How the source is called in messages. */
  readonly name: string;
  /** Key prefix unless one is given: derived from a file's content, random for a stream. */
  readonly prefix: string;
  /** Lines in all; undefined for a stream. */
  readonly linesTotal: number | undefined;
  close(): Promise<void>;
}

/** @param path - A file, or "-" for stdin. @throws {CliError} when the file cannot be read. */
export async function openSource(path: string, io: Io): Promise<Source> {
  if (path === "-") {
    return { ...streamSource(io.stdin), name: "stdin", close: async () => {} };
  }
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, "r");
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new CliError(`"${path}" is a directory, not a file of records`);
    const close = handle.close.bind(handle);
    const chunks = (): AsyncIterable<Uint8Array> =>
      opened.createReadStream({ autoClose: false, ...(stats.isFile() && { start: 0 }) });
    const opened = handle;
    // A pipe with a name, such as a shell's <(…), can be read once only.
    if (!stats.isFile()) return { ...streamSource(chunks()), name: `"${path}"`, close };
    const { digest, lines } = await survey(chunks());
    return { chunks: chunks(), name: `"${path}"`, prefix: digest.slice(0, PREFIX_DIGITS), linesTotal: lines, close };
  } catch (cause) {
    await handle?.close();
    if (cause instanceof CliError) throw cause;
    const reason = errorCode(cause) === "ENOENT" ? "there is no such file" : "permission denied or not readable";
    throw new CliError(`"${path}" cannot be read: ${reason}`, { cause });
  }
}

function streamSource(chunks: AsyncIterable<Uint8Array>): Pick<Source, "chunks" | "prefix" | "linesTotal"> {
  return { chunks, prefix: randomBytes(PREFIX_DIGITS / 2).toString("hex"), linesTotal: undefined };
}

/** SHA-256 of the content in hex, and its number of lines. */
async function survey(chunks: AsyncIterable<Uint8Array>): Promise<{ digest: string; lines: number }> {
  const hash = createHash("sha256");
  let lines = 0;
  let last = 0x0a;
  for await (const chunk of chunks) {
    hash.update(chunk);
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) lines += 1;
    last = chunk.at(-1) ?? last;
  }
  return { digest: hash.digest("hex"), lines: last === 0x0a ? lines : lines + 1 };
}
