/** Files that are read as they are. */
import { readFile, stat } from "node:fs/promises";
import { CliError } from "../cli-error.js";

/** Claims are what an application wants to show; a wrong path to something huge must not fill the memory. */
export const CLAIMS_BYTES_MAX = 64 * 1024 * 1024;

/** @throws {CliError} when it is too large; the system's own error when it cannot be read. */
export async function readBytes(path: string, what: string, bytesMax: number): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > bytesMax) throw new CliError(`"${path}" is too large to be ${what}`);
  return new Uint8Array(await readFile(path));
}
