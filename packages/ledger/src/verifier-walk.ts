/** What the verifier knows while it goes through a ledger, entry by entry: who may sign, what the tree is, and where it stands. */
import type { CryptoSuite } from "@sealane/crypto";
import { equalBytes, type Seqno, seqno, type TxId } from "@sealane/wire";
import type { SignatureChecker } from "./check-signature.js";
import { ChunkEntries } from "./chunk-entries.js";
import { type ChunkFile, entriesFrom } from "./chunk-walk.js";
import { checkEntry, decodeEntry, type FollowedEntry } from "./decode-entry.js";
import { LedgerError } from "./errors.js";
import type { LedgerSecrets } from "./ledger-secrets.js";
import type { LedgerFile, LedgerSource } from "./ledger-source.js";
import { FLAG_CHUNK_ENDS_BEFORE } from "./limits.js";
import { MerkleTree } from "./merkle-tree.js";
import { baseTree } from "./snapshot/snapshot-base.js";
import type { VerifiedSnapshot } from "./snapshot/verify-snapshot.js";
import type { SnapshotAudit } from "./snapshot-audit.js";
import { TrustTables } from "./trust-tables.js";
import type { LedgerRefused, LedgerVerified, VerifiedEntry, VerifyOptions } from "./verification.js";
import { ViewHistory } from "./view-history.js";

/** Leaves that stay: a signature's own tree starts at one before it, and one that is still here is compared and not hashed again. */
const KEPT_LEAVES = 8_192;

interface Place {
  seqno: number;
  file: string;
  offset: number;
}

export class VerifierWalk {
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
  #at: Place = { seqno: 1, file: "", offset: 0 };

  constructor({ suite, secrets, serviceCertificate }: VerifyOptions, audit: SnapshotAudit, checker: SignatureChecker) {
    this.#audit = audit;
    this.#suite = suite;
    this.#secrets = secrets;
    this.#tree = new MerkleTree(suite);
    this.#checker = checker;
    this.#trust = new TrustTables(suite, this.#checker);
    this.#expectedService = serviceCertificate === undefined ? undefined : this.#checker.keyOf(serviceCertificate).id;
  }

  /** Where a failure now belongs. */
  get at(): LedgerRefused["at"] {
    return { ...this.#at, seqno: seqno(this.#at.seqno) };
  }

  /** Begins behind the snapshot that stands for the entries before `first`. */
  async start(source: LedgerSource, first: number): Promise<VerifiedSnapshot> {
    this.#locateAt(first, "", 0);
    const file = this.#audit.files.find(({ seqno: at }) => at >= first - 1);
    if (file === undefined) {
      throw new LedgerError(
        "gap",
        `the ledger starts with entry ${first}, and no snapshot of entry ${first - 1} or later stands for what came before`,
      );
    }
    this.#locateAt(first, file.name, 0);
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
      this.#locateAt(at, file, offset);
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
    const after = this.#lastSeqno + 1;
    if (this.#base !== undefined && this.#lastSeqno < this.#base.seqno) {
      this.#locateAt(after, this.#base.file, 0);
      throw new LedgerError("gap", `the ledger ends with entry ${this.#lastSeqno}, before its oldest snapshot`);
    }
    for (const file of this.#audit.files) {
      this.#locateAt(after, file.name, 0);
      // One from before all entries may be of an earlier service identity, of which nothing is left here but itself.
      const isOlder = file.seqno < this.#firstSeqno - 1;
      const checked = isOlder ? this.#audit.checkBase(file) : this.#audit.check(file, this.#trust.serviceCertificates);
      yield { name: file.name, ...(await checked) };
    }
  }

  /** Walks a chunk and hands out its entries. */
  async *entries(chunk: ChunkFile, next: ChunkFile | undefined): AsyncGenerator<VerifiedEntry, void, undefined> {
    this.#locate(chunk.file, 0);
    const entries = await ChunkEntries.open(chunk, next, this.#lastSeqno, false);
    const { name: file } = chunk.file;
    while (!entries.isAtEnd) {
      const { offset } = entries;
      this.#locate(chunk.file, offset);
      const entry = decodeEntry(this.#suite, this.#secrets, entries.peek() ?? (await entries.take()));
      this.#take(entries, entry);
      yield { entry, file, offset };
      entries.pass(entry, entry.bytes.length);
    }
    entries.end();
  }

  /** The same for nobody: to stop at each entry, and to make an object of each, takes longer than to check a small one. */
  async pass(chunk: ChunkFile, next: ChunkFile | undefined): Promise<void> {
    this.#locate(chunk.file, 0);
    const entries = await ChunkEntries.open(chunk, next, this.#lastSeqno, true);
    while (!entries.isAtEnd) {
      this.#locate(chunk.file, entries.offset);
      const entry = checkEntry(this.#suite, this.#secrets, entries.peek() ?? (await entries.take()));
      this.#take(entries, entry);
      entries.pass(entry, entry.bytes.length);
    }
    entries.end();
  }

  #take(entries: ChunkEntries, entry: FollowedEntry): void {
    entries.check(entry);
    this.#follow(entry);
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

  #locate({ name }: LedgerFile, offset: number): void {
    this.#locateAt(this.#lastSeqno + 1, name, offset);
  }

  /** For every entry, so nothing is made for it. */
  #locateAt(at: number, file: string, offset: number): void {
    this.#at.seqno = at;
    this.#at.file = file;
    this.#at.offset = offset;
  }

  /** §8.1, in its order. */
  #follow(entry: FollowedEntry): void {
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
    if (this.#tree.size - this.#tree.first > 2 * KEPT_LEAVES) this.#tree.flush(this.#tree.size - KEPT_LEAVES);
    this.#lastView = view;
    this.#lastSeqno = entry.seqno;
  }
}
