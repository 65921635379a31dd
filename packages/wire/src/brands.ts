/** The values that must not be mixed up, branded once for every package (design.md §2; ledger spec, conventions). */
import { z } from "zod";

/** A node's identity: SHA-256 over the DER SubjectPublicKeyInfo of its public key, as 64 lower-case hex digits. */
export const NodeId = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hex digits")
  .brand<"NodeId">();
export type NodeId = z.infer<typeof NodeId>;

/** The greatest view: an entry's IV has 31 bits for it (ledger spec §2.1). */
export const VIEW_MAX = 0x7fff_ffff;

/** Leadership epoch. 0 means "unknown"; the first view of a service is 2. A higher view always wins. */
export const View = z.int().min(0).max(VIEW_MAX).brand<"View">();
export type View = z.infer<typeof View>;

/** Position in the replicated log. The first entry is 1; 0 means "before the log". At most 2^53 − 1. */
export const Seqno = z.int().nonnegative().brand<"Seqno">();
export type Seqno = z.infer<typeof Seqno>;

/** A transaction id, `view.seqno` in text. */
export interface TxId {
  readonly view: View;
  readonly seqno: Seqno;
}

/** Brands a number this code has itself computed or already checked. Not a parser. */
export const view = (value: number): View => value as View; // proven by the caller: a view read from state or a checked field
/** Brands a number this code has itself computed or already checked. Not a parser. */
export const seqno = (value: number): Seqno => value as Seqno; // proven by the caller, as above
