/** The data directory: the one asked for, or a temporary one that goes when the demo ends. */
import { access, constants, mkdtemp, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { makeDirectory } from "@sealane/node";
import { DemoError, sentence } from "./errors.js";

export interface DataDirectory {
  readonly path: string;
  readonly temporary: boolean;
}

/** @throws {DemoError} when the directory cannot be made or written to. */
export async function dataDirectory(wanted: string | undefined): Promise<DataDirectory> {
  if (wanted === undefined) return { path: await mkdtemp(join(tmpdir(), "sealane-demo-")), temporary: true };
  const path = resolve(wanted);
  try {
    await makeDirectory(path);
    await access(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new DemoError(`the data directory ${path} cannot be used: ${sentence(error)}`, { cause: error });
  }
  return { path, temporary: false };
}

/** Finds out before an hour of work, not after it, that a file cannot be written. Leaves an existing file as it is. */
export async function checkWritable(what: string, file: string): Promise<void> {
  try {
    await (await open(file, "a", 0o600)).close();
  } catch (error) {
    throw new DemoError(`${what} cannot be written to ${file} (in ${dirname(resolve(file))}): ${sentence(error)}`, {
      cause: error,
    });
  }
}
