/** Directories for nodes and for what supervises them. */
import { access, mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a directory and those above it. One level at a time: where a directory exists but takes no new ones (`/proc`), the recursive mkdir of
 * Node 20 never returns.
 * @throws the operating system's error, except that a directory which exists is fine.
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || (await exists(dirname(path)))) throw error;
    await makeDirectory(dirname(path));
    await mkdir(path);
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
