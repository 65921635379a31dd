/** Transaction ids as text, read without `wire`'s schemas: the receipt verifier is to stay small (ledger spec, conventions). */
import type { Seqno, TxId, View } from "@sealane/wire";

const TX_ID = /^(0|[1-9][0-9]{0,9})\.([1-9][0-9]{0,15})$/;
/** §2.1: a view has 31 bits. */
const VIEW_MAX = 0x7fff_ffff;

/** The transaction id a text spells, in its one spelling. */
export function readTxId(text: string): TxId | undefined {
  const [, viewText, seqnoText] = TX_ID.exec(text) ?? [];
  const view = Number(viewText);
  const seqno = Number(seqnoText);
  if (!(view <= VIEW_MAX) || !Number.isSafeInteger(seqno)) return undefined;
  return { view: view as View, seqno: seqno as Seqno }; // both were just shown to be in the range of their brand
}

export function writeTxId({ view, seqno }: TxId): string {
  return `${view}.${seqno}`;
}
