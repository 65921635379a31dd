/** The disk of this machine, through `node:fs`. */
import { type FileHandle, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import type { Disk, DiskFile } from "./disk.js";

/** Below IOV_MAX (1,024 on Linux and macOS), the most buffers one writev takes. */
const WRITE_PARTS_MAX = 512;

const FLAGS = { read: "r", write: "r+", create: "wx+" } as const;

export const nodeDisk: Disk = {
  async makeDirectory(directory) {
    const created = await mkdir(directory, { recursive: true });
    if (created !== undefined) await nodeDisk.syncDirectory(dirname(created));
  },
  list: (directory) => readdir(directory),
  open: async (path, mode) => diskFile(await open(path, FLAGS[mode])),
  rename,
  remove: unlink,
  async syncDirectory(directory) {
    // Windows can neither open nor sync a directory; NTFS journals such changes by itself.
    if (process.platform === "win32") return;
    const handle = await open(directory, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

function diskFile(handle: FileHandle): DiskFile {
  return {
    size: async () => (await handle.stat()).size,
    read: (position, length, into = new Uint8Array(length)) => readAll(handle, position, length, into),
    write: (parts, position) => writeAll(handle, parts, position),
    truncate: (size) => handle.truncate(size),
    sync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

async function readAll(handle: FileHandle, position: number, length: number, bytes: Uint8Array): Promise<Uint8Array> {
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** A writev may write less than it was given: what is left is written again from there. */
async function writeAll(handle: FileHandle, parts: readonly Uint8Array[], position: number): Promise<void> {
  let at = position;
  let queue = parts.filter(({ length }) => length > 0);
  while (queue.length > 0) {
    let { bytesWritten } = await handle.writev(queue.slice(0, WRITE_PARTS_MAX), at);
    at += bytesWritten;
    let done = 0;
    for (const part of queue) {
      if (bytesWritten < part.length) break;
      bytesWritten -= part.length;
      done++;
    }
    queue = queue.slice(done);
    const [cut, ...rest] = queue;
    if (cut !== undefined && bytesWritten > 0) queue = [cut.subarray(bytesWritten), ...rest];
  }
}
