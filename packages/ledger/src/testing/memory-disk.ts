/**
 * A disk in memory that fails and crashes on demand.
 *
 * A power failure (`crash`) keeps what was synced. Of what was not, each sector of a file, its length, and each change of the directory from
 * the last one back may be kept or lost: so an unsynced end is gone, a write is torn, or a later write is there and an earlier one is not.
 * That is the worst a journaling file system does. Beyond it, media rot (`rot`, `cut`), operations fail (`fault`: EIO, ENOSPC), and a sync may
 * report success for nothing (`syncLies`).
 */
import type { Disk, DiskFile } from "../files/disk.js";

const SECTOR_BYTES = 512;

interface Inode {
  current: Uint8Array;
  durable: Uint8Array;
}

/** Which operation fails, and how. */
export interface DiskFault {
  readonly operation: keyof Disk | keyof DiskFile;
  /** `EIO`, `ENOSPC`, `EMFILE`, … */
  readonly code: string;
  /** How many go well before. Default 0. */
  readonly after?: number;
  /** How many fail; later ones go well again. Default: all. */
  readonly times?: number;
  /** Of a write, how many bytes arrive all the same: a disk that fills up takes the first part. Default 0. */
  readonly bytes?: number;
}

export class MemoryDisk implements Disk {
  #durable = new Map<string, Inode>();
  #current = new Map<string, Inode>();
  #directoryChanges: ((entries: Map<string, Inode>) => void)[] = [];
  #fault: DiskFault | undefined;
  /** Operations that the fault has let pass, and those it has failed. */
  #met = 0;
  /** The operations carried out, for tests of their order. */
  readonly log: string[] = [];
  /** Syncs of files succeed and do nothing, as on media that lie about them. */
  syncLies = false;
  /** Awaited before every sync and every read, so that a test can hold one up. */
  beforeSync: () => Promise<void> = async () => undefined;
  beforeRead: () => Promise<void> = async () => undefined;
  /** Called before each operation that changes something: the moment to crash. */
  onChange: () => void = () => undefined;

  /** Fails from now on as told; `undefined`: all goes well. */
  set fault(fault: DiskFault | undefined) {
    this.#fault = fault;
    this.#met = 0;
  }

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

  /** Flips one bit of a file, on the medium: nothing notices until it is read. @throws {RangeError} without such a bit. */
  rot(path: string, bit: number): void {
    const bytes = this.#current.get(path)?.current.slice() ?? new Uint8Array();
    const byte = bytes[bit >> 3];
    if (byte === undefined) throw new RangeError(`${path} has ${bytes.length} bytes, and no bit ${bit}`);
    bytes[bit >> 3] = byte ^ (1 << (bit & 7));
    this.put(path, bytes);
  }

  /** Cuts a file off, on the medium. */
  cut(path: string, size: number): void {
    this.put(path, this.#current.get(path)?.current.slice(0, size) ?? new Uint8Array());
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
        const failed = this.#meets("write");
        this.log.push(`write ${path} ${parts.length}`);
        let left = failed === undefined ? Number.POSITIVE_INFINITY : (failed.bytes ?? 0);
        const arriving = parts.map((part) => {
          const arrives = part.subarray(0, Math.min(part.length, left));
          left -= arrives.length;
          return arrives;
        });
        const size = arriving.reduce((sum, { length }) => sum + length, 0);
        if (size > 0) {
          const bytes = new Uint8Array(Math.max(inode.current.length, position + size));
          bytes.set(inode.current);
          let at = position;
          for (const part of arriving) {
            bytes.set(part, at);
            at += part.length;
          }
          inode.current = bytes;
        }
        if (failed !== undefined) throw failure(failed.code);
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
        if (!this.syncLies) inode.durable = synced;
      },
      close: async () => undefined,
    };
  }

  #maybeFail(operation: DiskFault["operation"]): void {
    const fault = this.#meets(operation);
    if (fault !== undefined) throw failure(fault.code);
  }

  /** The fault that this operation runs into. */
  #meets(operation: DiskFault["operation"]): DiskFault | undefined {
    if (operation !== "read" && operation !== "list") this.onChange();
    const fault = this.#fault;
    if (fault?.operation !== operation) return undefined;
    const { after = 0, times = Number.POSITIVE_INFINITY } = fault;
    const index = this.#met++;
    return index >= after && index < after + times ? fault : undefined;
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
