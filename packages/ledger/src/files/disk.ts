/** The few file operations the storage needs, so that tests can give it a disk that is full, breaks, or loses what was not synced. */

export interface Disk {
  /** Creates the directory if it is missing, durably. */
  makeDirectory(directory: string): Promise<void>;
  /** File names in the directory. */
  list(directory: string): Promise<string[]>;
  /** `create` fails if the file exists. */
  open(path: string, mode: "read" | "write" | "create"): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes creations, renames and removals in the directory durable. */
  syncDirectory(directory: string): Promise<void>;
}

export interface DiskFile {
  size(): Promise<number>;
  /** At most `length` bytes from `position` on; fewer only at the end of the file. @param into - Memory of that length at least, if it helps. */
  read(position: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
  /** Writes all parts, back to back. The parts must not change until the promise settles. */
  write(parts: readonly Uint8Array[], position: number): Promise<void>;
  truncate(size: number): Promise<void>;
  /** fdatasync: contents and length are durable afterwards. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
