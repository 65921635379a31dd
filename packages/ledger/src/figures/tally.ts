/** What adds up over the entries of a ledger. */
import type { CryptoSuite } from "@sealane/crypto";
import { hex } from "@sealane/wire";
import { CHUNK_HEADER_BYTES, orderChunks } from "../chunk-walk.js";
import type { LedgerFile, LedgerSource } from "../ledger-source.js";
import type { SignatureRecord } from "../signature-record.js";
import type { DecodedSnapshot } from "../snapshot/decode-snapshot.js";
import type { VerifiedEntry } from "../verification.js";
import { TableState } from "./state.js";

export interface FileFigures {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly first_seqno: number;
  readonly last_seqno: number;
  /** Has a positions table. */
  readonly complete: boolean;
  readonly committed: boolean;
  /** 0 without a table. */
  readonly positions_offset: number;
  readonly ends_on_signature: boolean;
}

export interface SignatureFigures {
  readonly seqno: number;
  readonly view: number;
  readonly root: string;
  readonly node: string;
  readonly cose: boolean;
  readonly tree_first_leaf: number;
  readonly tree_leaves: number;
  readonly tree_extra_hashes: number;
}

/** Entries must come in order; from entry 1 on, unless a snapshot was installed. */
export class Tally {
  readonly publicState = new TableState();
  readonly privateState = new TableState();
  readonly entryTypes: Record<string, number> = {};
  readonly views: { readonly view: number; readonly first_seqno: number }[] = [];
  readonly signatures: SignatureFigures[] = [];
  withPrivateWrites = 0;
  /** Entries up to here are in the state already: a snapshot's. */
  #stateSeqno = 0;
  /** By file name: its last entry. */
  readonly #ends = new Map<string, { readonly seqno: number; readonly isSignature: boolean }>();

  /** The state begins with that of a snapshot. */
  install({ seqno, publicMaps, privateMaps }: DecodedSnapshot): void {
    this.#stateSeqno = seqno;
    this.publicState.install(publicMaps);
    this.privateState.install(privateMaps ?? []);
  }

  add({ entry, file }: VerifiedEntry): void {
    const { signature, entryType, view, publicMaps, privateMaps } = entry;
    this.#ends.set(file, entry);
    this.entryTypes[entryType] = (this.entryTypes[entryType] ?? 0) + 1;
    if (entry.privateBytes > 0) this.withPrivateWrites++;
    if (this.views.at(-1)?.view !== view) this.views.push({ view, first_seqno: entry.seqno });
    if (signature !== undefined) this.signatures.push(signatureFigures(signature));
    if (entry.seqno <= this.#stateSeqno) return;
    this.publicState.apply(publicMaps);
    this.privateState.apply(privateMaps ?? []);
  }

  async files(
    source: LedgerSource,
    digestOf: (file: LedgerFile) => Promise<Uint8Array>,
  ): Promise<readonly FileFigures[]> {
    const figures: FileFigures[] = [];
    for (const { file, name, first, committed } of orderChunks(await source.files())) {
      const end = this.#ends.get(name);
      if (end === undefined) continue; // it came after the walk
      const header = await file.read(0, CHUNK_HEADER_BYTES);
      const table = Number(new DataView(header.buffer, header.byteOffset).getBigUint64(0, true));
      figures.push({
        name,
        size: file.size,
        sha256: hex(await digestOf(file)),
        first_seqno: first,
        last_seqno: end.seqno,
        complete: table !== 0,
        committed,
        positions_offset: table,
        ends_on_signature: end.isSignature,
      });
    }
    return figures;
  }
}

/** The digest of a file that is read whole. */
export async function wholeFileDigest(suite: CryptoSuite, file: LedgerFile): Promise<Uint8Array> {
  return suite.sha256(await file.read(0, file.size));
}

function signatureFigures({ seqno: at, view, root, node, cose, tree }: SignatureRecord): SignatureFigures {
  // §6.4: both counts are big-endian; the verifier has read the rest.
  const counts = new DataView(tree.buffer, tree.byteOffset, 16);
  const first = Number(counts.getBigUint64(8));
  return {
    seqno: at,
    view,
    root: hex(root),
    node,
    cose: cose !== undefined,
    tree_first_leaf: first,
    tree_leaves: Number(counts.getBigUint64(0)),
    tree_extra_hashes: first.toString(2).replaceAll("0", "").length,
  };
}
