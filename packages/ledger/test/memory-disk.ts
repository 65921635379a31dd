/**
 * A disk in memory that fails and crashes on demand. A crash keeps what was synced; of what was not, each sector and each change of the
 * directory, from its end, may be kept or lost. That is the worst a journaling file system does.
 */
import type { Disk, DiskFile } from "../src/files/disk.js";

const SECTOR_BYTES = 512;

interface Inode {
  current: Uint8Array;
  durable: Uint8Array;
}

/** Which operation fails next, and how. */
export type Fault = { readonly operation: keyof Disk | keyof DiskFile; readonly code: string; after: number };

export class MemoryDisk implements Disk {
  #durable = new Map<string, Inode>();
  #current = new Map<string, Inode>();
  #directoryChanges: ((entries: Map<string, Inode>) => void)[] = [];
  fault: Fault | undefined;
  /** The operations carried out, for tests of their order. */
  readonly log: string[] = [];
  /** Awaited before every sync and every read, so that a test can hold one up. */
  beforeSync: () => Promise<void> = async () => undefined;
  beforeRead: () => Promise<void> = async () => undefined;
  /** Called before each operation that changes something: the moment to crash. */
  onChange: () => void = () => undefined;

  /** The disk after a power failure. @param random - Uniform in [0, 1). */
  crash(random: () => number): MemoryDisk {
    const kept = Math.floor(random() * (this.#directoryChanges.length + 1));
    const entries = new Map(this.#durable);
    for (const change of this.#directoryChanges.slice(0, kept)) change(entries);
    const after = new MemoryDisk();
    for (const [path, inode] of entries) {
      const bytes = torn(inode, random);
      const settled = { current: bytes, durable: bytes };
      after.#durable.set(path, settled);
      after.#current.set(path, settled);
    }
    return after;
  }

  /** By file name, of one directory or of all. */
  contents(directory = ""): Map<string, Uint8Array> {
    const files = [...this.#current].filter(([path]) => path.startsWith(directory));
    return new Map(files.map(([path, { current }]) => [path.split("/").at(-1) ?? "", current.slice()]));
  }

  /** Changes a file behind the storage's back. */
  put(path: string, bytes: Uint8Array): void {
    const inode = { current: bytes, durable: bytes };
    this.#current.set(path, inode);
    this.#durable.set(path, inode);
  }

  async makeDirectory(): Promise<void> {
    this.#maybeFail("makeDirectory");
  }

  async list(directory: string): Promise<string[]> {
    this.#maybeFail("list");
    const prefix = `${directory}/`;
    return [...this.#current.keys()].flatMap((path) => (path.startsWith(prefix) ? [path.slice(prefix.length)] : []));
  }

  async open(path: string, mode: "read" | "write" | "create"): Promise<DiskFile> {
    this.#maybeFail("open");
    if (mode === "create") {
      if (this.#current.has(path)) throw failure("EEXIST");
      const inode = { current: new Uint8Array(), durable: new Uint8Array() };
      this.#change(`create ${path}`, (entries) => entries.set(path, inode));
    }
    const inode = this.#current.get(path);
    if (inode === undefined) throw failure("ENOENT");
    return this.#file(path, inode);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#maybeFail("rename");
    this.#change(`rename ${from} ${to}`, (entries) => {
      const inode = entries.get(from);
      entries.delete(from);
      if (inode !== undefined) entries.set(to, inode);
    });
  }

  async remove(path: string): Promise<void> {
    this.#maybeFail("remove");
    this.#change(`remove ${path}`, (entries) => entries.delete(path));
  }

  async syncDirectory(): Promise<void> {
    this.#maybeFail("syncDirectory");
    this.log.push("sync directory");
    this.#directoryChanges = [];
    this.#durable = new Map(this.#current);
  }

  #change(what: string, change: (entries: Map<string, Inode>) => void): void {
    this.log.push(what);
    change(this.#current);
    this.#directoryChanges.push(change);
  }

  #file(path: string, inode: Inode): DiskFile {
    return {
      size: async () => inode.current.length,
      read: async (position, length) => {
        await this.beforeRead();
        this.#maybeFail("read");
        return inode.current.slice(position, position + length);
      },
      write: async (parts, position) => {
        this.#maybeFail("write");
        this.log.push(`write ${path} ${parts.length}`);
        let at = position;
        for (const part of parts) {
          const bytes = new Uint8Array(Math.max(inode.current.length, at + part.length));
          bytes.set(inode.current);
          bytes.set(part, at);
          inode.current = bytes;
          at += part.length;
        }
      },
      truncate: async (size) => {
        this.#maybeFail("truncate");
        inode.current = inode.current.slice(0, size);
      },
      sync: async () => {
        const synced = inode.current;
        await this.beforeSync();
        this.#maybeFail("sync");
        this.log.push(`sync ${path}`);
        inode.durable = synced;
      },
      close: async () => undefined,
    };
  }

  #maybeFail(operation: Fault["operation"]): void {
    if (operation !== "read" && operation !== "list") this.onChange();
    if (this.fault?.operation !== operation || this.fault.after-- > 0) return;
    throw failure(this.fault.code);
  }
}

function torn({ current, durable }: Inode, random: () => number): Uint8Array {
  if (current === durable) return current.slice();
  const short = Math.min(current.length, durable.length);
  const bytes = new Uint8Array(short + Math.floor(random() * (Math.max(current.length, durable.length) - short + 1)));
  for (let start = 0; start < bytes.length; start += SECTOR_BYTES) {
    const sector = (random() < 0.5 ? current : durable).subarray(start, Math.min(start + SECTOR_BYTES, bytes.length));
    bytes.set(sector, start);
  }
  return bytes;
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}
