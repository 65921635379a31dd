/**
 * The offline verifier: walks a ledger directory from its first entry and names the first thing that is wrong (ledger spec §1, §8.1, and what
 * §8.3 says a checker should add). It reads each byte once, in order, and holds one entry, the tree's edge and the tables of §8.
 *
 * A ledger whose first entries are gone goes on from a snapshot, which the service has proven by a receipt (§10.3). Entries that are still
 * there from before it are covered by the snapshot's tree: their signatures must sign the roots they make, and the last root must be the
 * snapshot's. Who was allowed to sign them, only the entries that are gone could tell.
 *
 * What proves what. A signature covers every entry before it through the Merkle root; the chain of trust is service identity → node
 * certificate → signature, and all of it stands in the ledger. So a ledger someone made up from nothing is as consistent as a real one:
 * give `serviceCertificate` to know whose it is. Bytes of the last signature entry itself, and of everything behind it, are covered by no
 * signature; with the ledger secrets all of them but the flags are authenticated by AES-256-GCM. Cutting whole entries off the end cannot be
 * seen from inside: compare `lastSigned` with what you know to be committed.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { equalBytes, type Seqno, seqno, type TxId } from "@sealane/wire";
import { SignatureChecker } from "./check-signature.js";
import { CHUNK_HEADER_BYTES, type ChunkFile, entriesFrom, orderChunks } from "./chunk-walk.js";
import { type DecodedEntry, decodeEntry } from "./decode-entry.js";
import { parseEntryHeader } from "./entry-header.js";
import { LedgerError, type VerifyErrorCode } from "./errors.js";
import type { LedgerSecrets } from "./ledger-secrets.js";
import { type LedgerFile, type LedgerSource, WindowReader } from "./ledger-source.js";
import { ENTRY_HEADER_BYTES, FLAG_CHUNK_ENDS_AFTER, FLAG_CHUNK_ENDS_BEFORE } from "./limits.js";
import { MerkleTree } from "./merkle-tree.js";
import { baseTree } from "./snapshot/snapshot-base.js";
import type { VerifiedSnapshot } from "./snapshot/verify-snapshot.js";
import { SnapshotAudit } from "./snapshot-audit.js";
import { TrustTables } from "./trust-tables.js";
import { ViewHistory } from "./view-history.js";

const POSITION_BYTES = 4;
/** Leaves folded away at a time: the verifier needs none again. */
const FLUSH_LEAVES = 4_096;

export interface VerifyOptions {
  readonly suite: CryptoSuite;
  /** With them every GCM tag and commit evidence digest is checked too. */
  readonly secrets?: LedgerSecrets;
  /** PEM. The last signature must belong to the service with this key. Renewed certificates of one key are the same service. */
  readonly serviceCertificate?: string;
  /** The snapshot files beside the ledger. Each committed one is verified too; a ledger that does not start with entry 1 needs one. */
  readonly snapshots?: LedgerSource;
}

export interface LedgerVerified {
  readonly ok: true;
  /** How many there are. */
  readonly entries: number;
  /** The first of them: 1, unless older ones were moved away or this ledger began with a snapshot. */
  readonly firstSeqno: Seqno;
  /** The snapshot that stands for what came before. Absent in a whole ledger. */
  readonly base?: { readonly seqno: Seqno; readonly file: string };
  /** Committed snapshots, all verified. */
  readonly snapshots: number;
  readonly signatures: number;
  /** The last signature: everything up to and without it is signed. Absent in a ledger without signatures or snapshot. */
  readonly lastSigned?: TxId;
  /** Entries behind the last signature: well-formed and in order, vouched for by nobody. */
  readonly unsigned: number;
  /** Different service keys in force over the whole ledger: one more than there were disaster recoveries. */
  readonly serviceIdentities: number;
  /** PEM of the service identity under which the last signature was made. */
  readonly serviceCertificate?: string;
  /** The Merkle root over all leaves, those of unsigned entries included: what the next signature would sign. 32 bytes. */
  readonly root: Uint8Array;
}

export interface LedgerRefused {
  readonly ok: false;
  /** The first bad entry. */
  readonly at: {
    readonly seqno: Seqno;
    /** Empty when the directory itself is wrong; of a bad snapshot its name. */
    readonly file: string;
    /** Of the entry, or of the table or header, in the file. */
    readonly offset: number;
  };
  readonly code: VerifyErrorCode;
  /** One sentence for the operator. */
  readonly message: string;
}

export type VerifyResult = LedgerVerified | LedgerRefused;

/**
 * Verifies a whole ledger.
 * @returns What was found; a damaged or forged ledger is a result, not an exception.
 * @throws whatever the source throws when a file cannot be read; LedgerError `bad-certificate` when `serviceCertificate` is none.
 * @example
 * const result = await verifyLedger(ledgerDirectory("data/ledger"), { suite });
 * if (!result.ok) report(`entry ${result.at.seqno} in ${result.at.file} at ${result.at.offset}: ${result.code}`);
 */
export async function verifyLedger(source: LedgerSource, options: VerifyOptions): Promise<VerifyResult> {
  const walk = walkLedger(source, options, {}, false);
  for (;;) {
    const step = await walk.next();
    if (step.done === true) return step.value;
  }
}

/** An entry that follows all entries before it. Only a signature after it makes it more than that. */
export interface VerifiedEntry {
  readonly entry: DecodedEntry;
  /** Where it lies. */
  readonly file: string;
  readonly offset: number;
}

/** For who wants more than the verdict. */
export interface WalkHooks {
  /** Before the first entry of a ledger that goes on from a snapshot. */
  readonly onBase?: (verified: VerifiedSnapshot) => void;
  /** After the last entry, oldest snapshot first. `bytes`: the whole file. */
  readonly onSnapshot?: (name: string, bytes: Uint8Array, verified: VerifiedSnapshot) => void;
  /** Certificates that were parsed before: for who verifies one ledger many times. Default: none. */
  readonly checker?: SignatureChecker;
}

/**
 * The same, handing out each entry once it has been checked; nothing is read ahead of who asks.
 * @returns by `return`, the result. After a refusal the entries up to the bad one have been handed out.
 * @throws as `verifyLedger`.
 */
export function verifiedEntries(
  source: LedgerSource,
  options: VerifyOptions,
  hooks: WalkHooks = {},
): AsyncGenerator<VerifiedEntry, VerifyResult, undefined> {
  return walkLedger(source, options, hooks, true);
}

/** @param wanted - Whether entries are handed out: to stop at each of them takes longer than to check a small one. */
async function* walkLedger(
  source: LedgerSource,
  options: VerifyOptions,
  { onBase, onSnapshot, checker = new SignatureChecker(options.suite) }: WalkHooks,
  wanted: boolean,
): AsyncGenerator<VerifiedEntry, VerifyResult, undefined> {
  const files = await source.files();
  const audit = await SnapshotAudit.of(options.snapshots, options);
  const walk = new Walk(options, audit, checker);
  try {
    const chunks = orderChunks(files);
    const first = chunks[0]?.first ?? 1;
    if (first > 1) {
      const base = await walk.start(source, first);
      onBase?.(base);
    }
    for (const [index, chunk] of chunks.entries()) yield* walk.chunk(chunk, chunks[index + 1], wanted);
    for await (const { name, bytes, ...verified } of walk.snapshots()) onSnapshot?.(name, bytes, verified);
    return walk.finish();
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    // Storage codes come from storages, of which none is here; the source's own errors are not LedgerErrors.
    return { ok: false, at: walk.at, code: error.code as VerifyErrorCode, message: error.message };
  }
}

class Walk {
  readonly #suite: CryptoSuite;
  readonly #secrets: LedgerSecrets | undefined;
  readonly #expectedService: string | undefined;
  readonly #audit: SnapshotAudit;
  #tree: MerkleTree;
  readonly #checker: SignatureChecker;
  readonly #trust: TrustTables;
  #firstSeqno = 1;
  #lastView = 0;
  #lastSeqno = 0;
  /** Of a ledger that does not start with entry 1: what the entries up to this one are held to. */
  #base: { readonly seqno: Seqno; readonly file: string; readonly root: Uint8Array } | undefined;
  #signatures = 0;
  #lastSigned: { readonly txId: TxId; readonly service: string | undefined } | undefined;
  /** Where a failure now belongs. */
  at: { readonly seqno: Seqno; readonly file: string; readonly offset: number } = {
    seqno: seqno(1),
    file: "",
    offset: 0,
  };

  constructor({ suite, secrets, serviceCertificate }: VerifyOptions, audit: SnapshotAudit, checker: SignatureChecker) {
    this.#audit = audit;
    this.#suite = suite;
    this.#secrets = secrets;
    this.#tree = new MerkleTree(suite);
    this.#checker = checker;
    this.#trust = new TrustTables(suite, this.#checker);
    this.#expectedService = serviceCertificate === undefined ? undefined : this.#checker.keyOf(serviceCertificate).id;
  }

  /** Begins behind the snapshot that stands for the entries before `first`. */
  async start(source: LedgerSource, first: number): Promise<VerifiedSnapshot> {
    this.at = { seqno: seqno(first), file: "", offset: 0 };
    const file = this.#audit.files.find(({ seqno: at }) => at >= first - 1);
    if (file === undefined) {
      throw new LedgerError(
        "gap",
        `the ledger starts with entry ${first}, and no snapshot of entry ${first - 1} or later stands for what came before`,
      );
    }
    this.at = { seqno: seqno(first), file: file.name, offset: 0 };
    const verified = await this.#audit.checkBase(file);
    const { snapshot, base } = verified;
    this.#trust.install(snapshot.publicMaps);
    const tree = baseTree(this.#suite, base);
    this.#base = { seqno: base.seqno, file: file.name, root: tree.root() };
    // The receipt signs all of the snapshot, so also the entry it was taken at.
    this.#lastSigned = { txId: { view: base.view, seqno: base.seqno }, service: this.#trust.serviceCertificate };
    this.#firstSeqno = first;
    this.#lastSeqno = first - 1;
    this.#lastView = ViewHistory.of(base.viewHistory).viewAt(seqno(first - 1));
    this.#tree = first - 1 === base.seqno ? tree : await this.#treeBefore(source, first);
    return verified;
  }

  /** The tree over leaves 0 … first − 1, as the next signature has it. Whether it is the right one, the snapshot's root will tell. */
  async #treeBefore(source: LedgerSource, first: number): Promise<MerkleTree> {
    for await (const { seqno: at, bytes, file, offset } of entriesFrom(source, first)) {
      this.at = { seqno: seqno(at), file, offset };
      const { signature } = decodeEntry(this.#suite, undefined, bytes);
      if (signature === undefined) continue;
      const tree = MerkleTree.deserialise(this.#suite, signature.tree);
      // §6.4: it reaches back to the signature before, and a chunk starts behind one.
      if (tree.first >= first || tree.size < first)
        throw new LedgerError("bad-tree", `the tree in entry ${at} does not reach back to entry ${first}`);
      tree.rollback(first);
      return tree;
    }
    throw new LedgerError("gap", `no signature comes after entry ${first}`);
  }

  /** Holds the snapshots to the ledger that was walked, one at a time. */
  async *snapshots(): AsyncGenerator<VerifiedSnapshot & { readonly name: string; readonly bytes: Uint8Array }> {
    const after = seqno(this.#lastSeqno + 1);
    if (this.#base !== undefined && this.#lastSeqno < this.#base.seqno) {
      this.at = { seqno: after, file: this.#base.file, offset: 0 };
      throw new LedgerError("gap", `the ledger ends with entry ${this.#lastSeqno}, before its oldest snapshot`);
    }
    for (const file of this.#audit.files) {
      this.at = { seqno: after, file: file.name, offset: 0 };
      // One from before all entries may be of an earlier service identity, of which nothing is left here but itself.
      const isOlder = file.seqno < this.#firstSeqno - 1;
      const checked = isOlder ? this.#audit.checkBase(file) : this.#audit.check(file, this.#trust.serviceCertificates);
      yield { name: file.name, ...(await checked) };
    }
  }

  async *chunk(
    { file, name, first, last, committed }: ChunkFile,
    next: ChunkFile | undefined,
    wanted: boolean,
  ): AsyncGenerator<VerifiedEntry, void, undefined> {
    this.#locate(file, 0);
    if (first !== this.#lastSeqno + 1) throw new LedgerError("gap", `${name} does not follow entry ${this.#lastSeqno}`);
    const entries = new WindowReader(file);
    if (file.size < CHUNK_HEADER_BYTES) throw new LedgerError("unfinished", `${name} has no header`);
    const tableOffset = readU64(await entries.take(0, CHUNK_HEADER_BYTES));
    const finished = tableOffset !== 0n;
    if (finished && (tableOffset <= BigInt(CHUNK_HEADER_BYTES) || tableOffset >= BigInt(file.size))) {
      throw new LedgerError("bad-positions", `${name} has its positions table outside the file`);
    }
    if (!finished && (committed || last !== undefined))
      throw new LedgerError("bad-file-name", `${name} is an open chunk`);
    if (!finished && next !== undefined) throw new LedgerError("gap", `${name} is open, but ${next.name} follows`);

    const end = finished ? Number(tableOffset) : file.size;
    const positions = new WindowReader(file);
    let offset = CHUNK_HEADER_BYTES;
    let previous: DecodedEntry | undefined;
    for (let index = 0; offset < end; index++) {
      this.#locate(file, offset);
      if (previous !== undefined) this.#checkInside(previous, name);
      if (finished) {
        const at = end + index * POSITION_BYTES;
        checkPosition(positions.peek(at, POSITION_BYTES) ?? (await takePosition(positions, at, name)), offset, name);
      }
      const entry = this.#decode(peekEntry(entries, offset, end) ?? (await takeEntry(entries, offset, end, finished)));
      if (index > 0 && (entry.flags & FLAG_CHUNK_ENDS_BEFORE) !== 0) {
        throw new LedgerError("bad-chunk-end", `a chunk ends before entry ${entry.seqno}, which is inside ${name}`);
      }
      this.#follow(entry);
      if (wanted) yield { entry, file: file.name, offset };
      previous = entry;
      offset += entry.bytes.length;
    }
    if (previous === undefined) throw new LedgerError("unfinished", `${name} holds no entry`);

    // What is left to check belongs to the chunk as a whole; its last entry is named.
    if (last !== undefined && last !== this.#lastSeqno) {
      throw new LedgerError("bad-file-name", `${name} ends with entry ${this.#lastSeqno}`);
    }
    if (finished && end + (this.#lastSeqno - first + 1) * POSITION_BYTES !== file.size) {
      throw new LedgerError("bad-positions", `the positions table of ${name} has another length`);
    }
    const flagged = (previous.flags & FLAG_CHUNK_ENDS_AFTER) !== 0;
    if (finished && !previous.isSignature)
      throw new LedgerError("bad-chunk-end", `${name} does not end with a signature`);
    // §1.3: in the middle of a ledger, chunks may end without the flag. At its end nothing but the flag can have ended one.
    if (finished && !flagged && next === undefined)
      throw new LedgerError("bad-chunk-end", `${name} was ended by no entry`);
    if (!finished && flagged) throw new LedgerError("unfinished", `${name} has ended, but has no positions table`);
  }

  finish(): LedgerVerified {
    const service = this.#lastSigned?.service;
    if (this.#expectedService !== undefined) {
      const key = service === undefined ? undefined : this.#checker.keyOf(service).id;
      if (key !== this.#expectedService)
        throw new LedgerError("other-service", "the last signature belongs to another service");
    }
    return {
      ok: true,
      entries: this.#lastSeqno - this.#firstSeqno + 1,
      firstSeqno: seqno(this.#firstSeqno),
      ...(this.#base === undefined ? {} : { base: { seqno: this.#base.seqno, file: this.#base.file } }),
      snapshots: this.#audit.files.length,
      signatures: this.#signatures,
      ...(this.#lastSigned === undefined ? {} : { lastSigned: this.#lastSigned.txId }),
      unsigned: this.#lastSeqno - (this.#lastSigned?.txId.seqno ?? 0),
      serviceIdentities: this.#trust.serviceIdentities,
      root: this.#tree.root(),
      ...(service === undefined ? {} : { serviceCertificate: service }),
    };
  }

  #locate(file: LedgerFile, offset: number): void {
    this.at = { seqno: seqno(this.#lastSeqno + 1), file: file.name, offset };
  }

  #decode(bytes: Uint8Array): DecodedEntry {
    return decodeEntry(this.#suite, this.#secrets, bytes);
  }

  /** An entry that another one follows in the same file. */
  #checkInside({ flags, seqno }: DecodedEntry, name: string): void {
    if ((flags & FLAG_CHUNK_ENDS_AFTER) !== 0)
      throw new LedgerError("bad-chunk-end", `${name} goes on after entry ${seqno}, which ends it`);
  }

  /** §8.1, in its order. */
  #follow(entry: DecodedEntry): void {
    const { view, signature, flags, isSignature, publicMaps, leaf } = entry;
    if (entry.seqno !== this.#lastSeqno + 1) {
      throw new LedgerError("bad-seqno", `entry ${entry.seqno} stands where ${this.#lastSeqno + 1} belongs`);
    }
    if (view < this.#lastView) throw new LedgerError("bad-view", `view ${view} is below ${this.#lastView}`);
    if (isSignature && (flags & FLAG_CHUNK_ENDS_BEFORE) !== 0) {
      throw new LedgerError(
        "bad-chunk-end",
        "only the first transaction of a recovered service ends the chunk before it",
      ); // §1.3
    }
    const vouched = this.#base !== undefined && entry.seqno <= this.#base.seqno;
    if (vouched) {
      if (signature !== undefined) this.#checker.checkRoot(signature, entry, this.#tree);
    } else if (signature === undefined) this.#trust.apply(publicMaps);
    else {
      this.#checker.check(
        signature,
        entry,
        this.#tree,
        (node) => this.#trust.certificateOf(node),
        () => this.#trust.serviceCertificate,
      );
      this.#lastSigned = { txId: { view, seqno: entry.seqno }, service: this.#trust.serviceCertificate };
    }
    if (isSignature) this.#signatures++;
    this.#tree.append(leaf);
    if (entry.seqno === this.#base?.seqno && !equalBytes(this.#tree.root(), this.#base.root))
      throw new LedgerError("root-mismatch", `the entries up to ${entry.seqno} are not those ${this.#base.file} is of`);
    this.#audit.observe(entry);
    if (this.#tree.size - this.#tree.first > FLUSH_LEAVES) this.#tree.flush(this.#tree.size - 1);
    this.#lastView = view;
    this.#lastSeqno = entry.seqno;
  }
}

/** One whole entry that ends at or before `end`. */
async function takeEntry(reader: WindowReader, offset: number, end: number, finished: boolean): Promise<Uint8Array> {
  const cut = (): LedgerError =>
    finished
      ? new LedgerError("truncated", "the entry runs into the positions table")
      : new LedgerError("unfinished", "the last entry is cut short"); // §1.2
  if (end - offset < ENTRY_HEADER_BYTES) throw cut();
  const { bytes } = parseEntryHeader(await reader.take(offset, ENTRY_HEADER_BYTES));
  if (bytes > end - offset) throw cut();
  return reader.take(offset, bytes);
}

/** The same without a wait; `undefined` when it cannot be had so, for whatever reason. */
function peekEntry(reader: WindowReader, offset: number, end: number): Uint8Array | undefined {
  const header = reader.peek(offset, ENTRY_HEADER_BYTES);
  if (header === undefined) return undefined;
  const { bytes } = parseEntryHeader(header);
  return bytes > end - offset ? undefined : reader.peek(offset, bytes);
}

async function takePosition(table: WindowReader, at: number, name: string): Promise<Uint8Array> {
  try {
    return await table.take(at, POSITION_BYTES);
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause;
    throw new LedgerError("bad-positions", `the positions table of ${name} has too few entries`, { cause });
  }
}

function checkPosition(position: Uint8Array, offset: number, name: string): void {
  if (new DataView(position.buffer, position.byteOffset).getUint32(0, true) !== offset) {
    throw new LedgerError("bad-positions", `the positions table of ${name} has an entry elsewhere`);
  }
}

function readU64(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
}
