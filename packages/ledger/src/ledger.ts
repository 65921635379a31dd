/**
 * The ledger as a node holds it: the entries in memory, the Merkle tree over them, and the rules by which one entry may follow another
 * (ledger spec §1.3, §2, §6, §7). No I/O: what it appends, the owner gives to storage and to the backups, as the very same bytes.
 *
 * A primary calls `append` and `appendSignature`; a backup, or a node reading its own files again, calls `appendReplicated`. Both end in one
 * place, so the trees and the chunk decisions of all nodes are the same.
 */
import { type CryptoSuite, type KeyPair, signatureToDer, spkiHash } from "@sealane/crypto";
import { type NodeId, type Seqno, seqno, type TxId, type View, type WriteSet } from "@sealane/wire";
import { type CertificateLookup, type ServiceLookup, SignatureChecker } from "./check-signature.js";
import { ChunkPolicy } from "./chunk-policy.js";
import { COSE_ALGORITHMS, type CoseHeader, type CoseSign1, coseSignedBytes } from "./cose/cose-sign1.js";
import { encodeCoseHeader } from "./cose/encode-cose.js";
import type { DecodedEntry } from "./decode-entry.js";
import { type EntryDigests, type EntryInput, planEntry, writeEntry } from "./encode-entry.js";
import { assert, LedgerError } from "./errors.js";
import type { LedgerSecrets } from "./ledger-secrets.js";
import { CHUNK_BYTES_DEFAULT, FLAG_CHUNK_ENDS_AFTER } from "./limits.js";
import { MerkleTree } from "./merkle-tree.js";
import { signatureWriteSet, touchesSignatureTables } from "./signature-record.js";
import { Slabs } from "./slabs.js";
import { baseTree, type LedgerBase } from "./snapshot/snapshot-base.js";
import { ViewHistory } from "./view-history.js";

/** Committed entries kept in memory for backups that lag a little; what is older is read from files. */
const RETAIN_BYTES_DEFAULT = 32 * 1024 * 1024;

export interface LedgerOptions {
  readonly suite: CryptoSuite;
  readonly secrets: LedgerSecrets;
  /** The endorsed certificate (PEM) of a node as of the last entry; signature entries of unknown nodes are refused. Default: none known. */
  readonly nodeCertificate?: CertificateLookup;
  /** The service identity (PEM) as of the last entry; signature entries with the COSE form are refused without. Default: none known. */
  readonly serviceCertificate?: ServiceLookup;
  /** Size at which this node, as primary, ends a chunk at the next signature (§1.3). 1 to 2³² − 1 bytes, default 5 MiB. */
  readonly chunkBytes?: number;
  /** Memory for slabs of committed entries, in bytes. Default 32 MiB; `Infinity` keeps everything. */
  readonly retainBytes?: number;
  /** Of the snapshot to go on from: the first entry is the one behind it. Default: an empty ledger. */
  readonly base?: LedgerBase;
}

/** What the COSE form of a signature (§7.3) is made with. */
export interface ServiceSigner {
  /** The service's identity key. */
  readonly keyPair: KeyPair;
  /** Texts that say who signs and what; such as `service.example.com` and `ledger.signature`. */
  readonly issuer: string;
  readonly subject: string;
  /** Unix time in whole seconds. */
  readonly issuedAt: number;
}

/** One entry in the ledger. */
export interface LedgerEntry {
  readonly seqno: Seqno;
  readonly view: View;
  readonly flags: number;
  /** The entry where it stays: a view of the ledger's memory. Do not write into it. */
  readonly bytes: Uint8Array;
  /** Write set digest (§2), 32 bytes. */
  readonly digest: Uint8Array;
  /** Merkle leaf (§6.1), 32 bytes. */
  readonly leaf: Uint8Array;
  readonly isSignature: boolean;
  /** The same as `isSignature`, in the storage's word: only signature entries can be committed and can end a chunk. */
  readonly committable: boolean;
}

/** A signature entry this node has just made. */
export interface SignatureEntry extends LedgerEntry {
  /** For the maps, as any other entry's: all nodes hold the tables of signatures. */
  readonly writeSet: WriteSet;
}

/**
 * @example
 * const ledger = new Ledger({ suite, secrets, nodeCertificate: (id) => certificates.get(id) });
 * ledger.append({ view: view(2), writeSet });
 * const signature = ledger.appendSignature({ view: view(2), nodeId, keyPair, certificatePem });
 */
export class Ledger {
  readonly #suite: CryptoSuite;
  readonly #secrets: LedgerSecrets;
  readonly #nodeCertificate: CertificateLookup;
  readonly #serviceCertificate: ServiceLookup;
  readonly #retainBytes: number;
  readonly #checker: SignatureChecker;
  readonly #slabs: Slabs;
  readonly #chunks: ChunkPolicy;
  // Invariant: tree.size = lastSeqno + 1, and tree.first <= #committedSeqno.
  readonly #tree: MerkleTree;
  #committedSeqno: number;
  readonly #views: ViewHistory;
  /** The least view a new entry of ours may have: above every entry that was rolled back, or its nonce could come again (§2.1). */
  #viewMin = 0;

  /**
   * An empty ledger, whose next entry has seqno 1; or one that goes on from a snapshot.
   * @throws {RangeError} when `chunkBytes` or `retainBytes` is out of range. @throws {LedgerError} `bad-tree` for a base that is none.
   */
  constructor(options: LedgerOptions) {
    const { suite, secrets, nodeCertificate, serviceCertificate, chunkBytes, base } = options;
    const { retainBytes = RETAIN_BYTES_DEFAULT } = options;
    if (!(retainBytes >= 0)) throw new RangeError(`retainBytes must not be negative: ${retainBytes}`);
    this.#suite = suite;
    this.#secrets = secrets;
    this.#nodeCertificate = nodeCertificate ?? (() => undefined);
    this.#serviceCertificate = serviceCertificate ?? (() => undefined);
    this.#retainBytes = retainBytes;
    this.#checker = new SignatureChecker(suite);
    this.#committedSeqno = base?.seqno ?? 0; // §10.3: snapshots are of what is committed, and end a chunk
    this.#slabs = new Slabs(this.#committedSeqno);
    this.#chunks = new ChunkPolicy(chunkBytes ?? CHUNK_BYTES_DEFAULT, this.#committedSeqno);
    this.#tree = base === undefined ? new MerkleTree(suite) : baseTree(suite, base);
    this.#tree.flush(this.#committedSeqno);
    this.#views = ViewHistory.of(base?.viewHistory ?? []);
  }

  /** 0 before the first entry. */
  get lastSeqno(): Seqno {
    return seqno(this.#slabs.lastSeqno);
  }

  /** View of the last entry; 0 before the first. */
  get lastView(): View {
    return this.#views.last;
  }

  /** First entry that `range` can return. */
  get firstSeqno(): Seqno {
    return seqno(this.#slabs.firstSeqno);
  }

  /** Up to where `compact` was called, or the snapshot this ledger goes on from. */
  get committedSeqno(): Seqno {
    return seqno(this.#committedSeqno);
  }

  /** The Merkle root over leaves 0 … lastSeqno: what a signature entry appended now would sign. 32 bytes. */
  root(): Uint8Array {
    return this.#tree.root();
  }

  /**
   * The Merkle leaf of an entry from `committedSeqno` on: what a snapshot at that seqno carries (§10.2). 32 bytes.
   * @throws {RangeError} for another entry.
   */
  leaf(at: Seqno): Uint8Array {
    return this.#tree.leaf(at);
  }

  /**
   * First seqno of each view up to entry `to`, from view 1 on, as a snapshot has it (§10.2).
   * @throws {LedgerError} `too-large` for a view above a million.
   */
  viewHistory(to: Seqno): number[] {
    return this.#views.starts(to);
  }

  /**
   * Serialises, encrypts once, digests and appends an application's or the node's own write set as the next entry.
   * @param input.view - Not below the last entry's view, and above the views of entries that were rolled back.
   * @param input.flags - Only `FLAG_CHUNK_ENDS_BEFORE`; a chunk ends after signatures alone, and this ledger decides that itself.
   * @throws {LedgerError} `bad-map` (also for the signature tables), `too-large`, `no-secret`. @throws {RangeError} for numbers. Nothing changed.
   */
  append(input: Omit<EntryInput, "seqno">): LedgerEntry {
    if (touchesSignatureTables(input.writeSet))
      throw new LedgerError("bad-map", "the signature tables are the ledger's own");
    if (((input.flags ?? 0) & FLAG_CHUNK_ENDS_AFTER) !== 0)
      throw new RangeError("a chunk can only end after a signature entry");
    return this.#write({ ...input, seqno: this.#nextSeqno() }, false);
  }

  /**
   * Signs the root over everything so far and appends the signature entry (§7.1, §7.2), with the serialised tree.
   * @param input.keyPair - The node's identity key.
   * @param input.certificatePem - The node's certificate, endorsed by the service.
   * @param input.endsChunk - A chunk ends here whatever its size: where a snapshot is to be taken, so that the chunks below it can go.
   * @param input.service - Adds the COSE form (§7.3), which receipts for the service alone need. Left out, the entry has the classic one only.
   * @throws {RangeError} as the first entry: nothing is there to be signed; for a time that is no whole number of seconds.
   * @throws {LedgerError} `no-secret`, `too-large`. Nothing changed.
   */
  appendSignature(input: {
    readonly view: View;
    readonly nodeId: NodeId;
    readonly keyPair: KeyPair;
    readonly certificatePem: string;
    readonly endsChunk?: boolean;
    readonly service?: ServiceSigner;
  }): SignatureEntry {
    const preimage = this.#tree.rootPreimage();
    const sig = signatureToDer(this.#suite.sign(input.keyPair.privateKey, preimage, "SHA-256"));
    const next = this.#nextSeqno();
    const root = this.#tree.root();
    const txId = { view: input.view, seqno: next };
    const writeSet = signatureWriteSet({
      node: input.nodeId,
      ...txId,
      root,
      sig,
      cert: input.certificatePem,
      tree: this.#tree.serialise(),
      ...(input.service === undefined ? {} : { cose: this.#coseSignature(input.service, txId, root) }),
    });
    // Flags are hashed with the entry: decided before it is made (§14.9).
    const flags = input.endsChunk === true || this.#chunks.shouldEndChunk() ? FLAG_CHUNK_ENDS_AFTER : 0;
    return { ...this.#write({ view: input.view, seqno: next, writeSet, flags }, true), writeSet };
  }

  /**
   * Appends an entry that another node wrote, or that was read back from our own files. A signature entry is checked against our own tree
   * before anything changes.
   * @param decoded - Decoded with the ledger secrets. Its bytes are copied, once, into the ledger's memory.
   * @throws {LedgerError} a `ChainErrorCode`. Nothing changed. @throws {TypeError} when it was decoded without secrets.
   */
  appendReplicated(decoded: DecodedEntry): LedgerEntry {
    const { bytes, writeSetDigest, leaf, signature, flags, isSignature } = decoded;
    if (decoded.privateMaps === undefined) throw new TypeError("a replicated entry is decoded with the ledger secrets");
    if (decoded.seqno !== this.#nextSeqno()) {
      throw new LedgerError("bad-seqno", `entry ${decoded.seqno} does not follow ${this.lastSeqno}`);
    }
    if (decoded.view < this.lastView)
      throw new LedgerError("bad-view", `view ${decoded.view} is below ${this.lastView}`);
    if (signature !== undefined) {
      this.#checker.check(signature, decoded, this.#tree, this.#nodeCertificate, this.#serviceCertificate);
    }
    const kept = this.#slabs.reserve(bytes.length);
    kept.set(bytes);
    return this.#take(kept, decoded.view, flags, { writeSetDigest, leaf }, isSignature);
  }

  /**
   * Entries `from` to `to`, both inclusive, back to back in as few pieces as memory allows.
   * @returns Views that never change; empty for `to` = `from` − 1; `undefined` when some are no longer, or not yet, in memory.
   */
  range(from: Seqno, to: Seqno): Uint8Array[] | undefined {
    return this.#slabs.range(from, to);
  }

  /** The write set digests of `from` to `to`, 32 bytes each, concatenated: the input of `entriesDigest`. `undefined` as in `range`. */
  digests(from: Seqno, to: Seqno): Uint8Array | undefined {
    return this.#slabs.digests(from, to);
  }

  /** The view of an entry that is in memory. */
  viewAt(at: Seqno): View | undefined {
    return at < this.firstSeqno || at > this.lastSeqno ? undefined : this.#views.viewAt(at);
  }

  /** Forgets the entries after `to`. @throws {RangeError} below the committed seqno or above the last one. */
  rollback(to: Seqno): void {
    if (!Number.isSafeInteger(to) || to < this.#committedSeqno || to > this.lastSeqno) {
      throw new RangeError(`cannot roll back to ${to}: committed ${this.#committedSeqno}, last ${this.lastSeqno}`);
    }
    if (to === this.lastSeqno) return;
    this.#viewMin = Math.max(this.#viewMin, this.lastView + 1); // views never fall, so the last is the greatest rolled back
    this.#views.rollback(to);
    this.#slabs.rollback(to);
    this.#tree.rollback(to + 1);
    this.#chunks.rollback(to);
  }

  /**
   * Entries up to `committed` will never be rolled back: folds their leaves away and frees memory beyond `retainBytes`.
   * @throws {RangeError} above the last seqno. Lower than before: nothing happens.
   */
  compact(committed: Seqno): void {
    if (!Number.isSafeInteger(committed) || committed > this.lastSeqno) {
      throw new RangeError(`cannot compact to ${committed}: the last seqno is ${this.lastSeqno}`);
    }
    if (committed <= this.#committedSeqno) return;
    this.#committedSeqno = committed;
    this.#tree.flush(committed); // §6.4: the leaf of the commit index itself stays
    this.#chunks.compact(committed);
    this.#slabs.release(committed - 1, this.#retainBytes);
  }

  #coseSignature({ keyPair, issuer, subject, issuedAt }: ServiceSigner, txId: TxId, root: Uint8Array): CoseSign1 {
    if (!Number.isSafeInteger(issuedAt) || issuedAt < 0) throw new RangeError(`not a time in seconds: ${issuedAt}`);
    const { curve, spki } = keyPair.publicKey;
    const keyId = spkiHash(this.#suite, spki);
    const header: CoseHeader = { algorithm: COSE_ALGORITHMS[curve], keyId, issuedAt, issuer, subject, txId };
    const protectedBytes = encodeCoseHeader(header);
    const signature = this.#suite.sign(keyPair.privateKey, coseSignedBytes({ protectedBytes }, root));
    return { header, protectedBytes, signature };
  }

  #nextSeqno(): Seqno {
    return seqno(this.lastSeqno + 1);
  }

  #write(input: EntryInput, isSignature: boolean): LedgerEntry {
    const viewMin = Math.max(this.lastView, this.#viewMin);
    if (input.view < viewMin)
      throw new RangeError(`view ${input.view} is below ${viewMin}: its nonce may have been used`);
    const plan = planEntry(input);
    const bytes = this.#slabs.reserve(plan.bytes);
    const digests = writeEntry(this.#suite, this.#secrets, plan, bytes);
    return this.#take(bytes, input.view, input.flags ?? 0, digests, isSignature);
  }

  /** Makes the entry that lies in reserved memory the last one. Cannot fail. */
  #take(
    bytes: Uint8Array,
    view: View,
    flags: number,
    { writeSetDigest: digest, leaf }: EntryDigests,
    isSignature: boolean,
  ): LedgerEntry {
    this.#slabs.push(bytes.length, digest);
    this.#tree.append(leaf);
    const seqno = this.lastSeqno;
    this.#views.append(seqno, view);
    this.#chunks.append(seqno, bytes.length, flags);
    assert(this.#tree.size === seqno + 1, "the tree has one leaf per entry and leaf 0");
    return { seqno, view, flags, bytes, digest, leaf, isSignature, committable: isSignature };
  }
}
