/**
 * What follows in memory when the log grows, is taken back or commits, and what storage is told of it. The replica has decided it already.
 * Nothing here knows a role or a clock.
 */
import { type DecodedEntry, type LedgerEntry, LedgerError } from "@sealane/ledger";
import type { Seqno, WriteSet } from "@sealane/wire";
import { FaultError } from "./errors.js";
import type { LogOutput } from "./log-output.js";
import type { LogState } from "./log-state.js";
import type { Snapshots } from "./snapshots.js";
import { touchesNodes } from "./tables.js";
import { UncommittedBytes } from "./uncommitted-bytes.js";
import type { UnstoredEntries } from "./unstored-entries.js";

export class LogChanges {
  readonly #state: LogState;
  readonly #snapshots: Snapshots;
  readonly #unstored: UnstoredEntries;
  readonly #uncommitted = new UncommittedBytes();
  readonly #tell: (output: LogOutput) => void;

  /** @param tell - Takes the outputs, in the order in which they are to be carried out. */
  constructor(state: LogState, snapshots: Snapshots, unstored: UnstoredEntries, tell: (output: LogOutput) => void) {
    this.#state = state;
    this.#snapshots = snapshots;
    this.#unstored = unstored;
    this.#tell = tell;
  }

  /** As `UncommittedBytes.isFull`. */
  get isFull(): boolean {
    return this.#uncommitted.isFull;
  }

  /** Takes an entry that this primary has just appended to the ledger. */
  handleOwn(entry: LedgerEntry, writeSet: WriteSet): void {
    const secretsChanged = this.#state.apply(entry, writeSet);
    this.#keep(entry, secretsChanged, writeSet);
  }

  /** Appends an entry that another node wrote. @throws FaultError `primary-fault` when it does not follow. */
  handleReplicated(entry: DecodedEntry): void {
    try {
      const { entry: appended, secretsChanged } = this.#state.append(entry);
      this.#keep(appended, secretsChanged, entry.writeSet);
    } catch (cause) {
      if (!(cause instanceof LedgerError)) throw cause;
      // The channel bound these very bytes to the primary's header, so no one on the way changed them.
      const which = `${entry.view}.${entry.seqno}`;
      throw new FaultError("primary-fault", `Entry ${which} from the primary does not verify: ${cause.message}`, {
        cause,
      });
    }
  }

  handleRollback(to: Seqno): void {
    const signedTo = this.#uncommitted.lastSignature;
    this.store();
    if (this.#state.rollback(to)) this.#tellSecrets();
    this.#uncommitted.handleRollback(to);
    this.#snapshots.handleRollback(to);
    this.#tell({ type: "truncate", to, signedTo });
    this.#tell({ type: "membership" });
  }

  /** @param reconfigures - As `CommitOutput` says. */
  handleCommit(at: Seqno, reconfigures: boolean): void {
    if (this.#unstored.reachBackTo(at)) this.store();
    this.#captureSnapshots(at);
    this.#state.compact(at);
    this.#uncommitted.handleCommit(at);
    this.#tell({ type: "commit", seqno: at, reconfigures });
  }

  /** Before anything under a new secret is stored, the secret is. */
  keepSecrets(): void {
    this.store();
    this.#tellSecrets();
  }

  /** Hands what was appended to storage, as one output. */
  store(): void {
    const entries = this.#unstored.take();
    if (entries.length > 0) this.#tell({ type: "append", entries });
  }

  #keep(entry: LedgerEntry, secretsChanged: boolean, writeSet: WriteSet): void {
    this.#snapshots.handleAppend(entry);
    this.#unstored.add(entry);
    this.#uncommitted.handleAppend(entry);
    if (secretsChanged) this.keepSecrets();
    if (touchesNodes(writeSet)) this.#tell({ type: "membership" });
  }

  #tellSecrets(): void {
    this.#tell({ type: "secrets", secrets: this.#state.secrets.kept });
  }

  #captureSnapshots(to: Seqno): void {
    for (let at = this.#snapshots.takeChunkEnd(to); at !== undefined; at = this.#snapshots.takeChunkEnd(to)) {
      this.#state.compact(at);
      if (!this.#snapshots.wantsState(at)) continue;
      this.#snapshots.capture(this.#state.secrets.current, this.#state.snapshotInput(at));
    }
  }
}
