/** Snapshots as another implementation writes them (ledger spec §10), for tests of the reader; and wrong ones. */
import { concatBytes, seqno, utf8, Writer } from "@sealane/wire";
import { keyRank } from "../src/snapshot/key-order.js";
import { secrets, suite } from "./fixture.js";

/** One secret serves all of the tests. */
const FIRST = seqno(1);

export interface SnapshotInput {
  readonly seqno?: number;
  readonly flags?: number;
  readonly type?: number;
  readonly ivView?: number;
  readonly domainSeqno?: number;
  readonly leaf?: Uint8Array;
  readonly viewHistory?: readonly number[];
  readonly publicMaps?: Uint8Array;
  readonly privateMaps?: Uint8Array;
  /** Text behind the entry. */
  readonly receipt?: string;
}

export function snapshotMap(name: string, entries: readonly (readonly [string, string])[], padding = 0): Uint8Array {
  const ordered = entries.toSorted(([a], [b]) => keyRank(utf8(a)) - keyRank(utf8(b)));
  const state = ordered.map(([key, value]) =>
    concatBytes(blob(utf8(key)), pad(key.length, padding), blob(concatBytes(u64(7), utf8(value))), pad(value.length)),
  );
  return concatBytes(blob(utf8(name)), u64(7), blob(concatBytes(...state)));
}

export function rawSnapshot(input: SnapshotInput = {}): Uint8Array {
  const { seqno: at = 9, flags = 0, type = 1, ivView = 0x8000_0000, domainSeqno = at, viewHistory = [1, 1] } = input;
  const { leaf = new Uint8Array(32), publicMaps = new Uint8Array(), privateMaps = new Uint8Array() } = input;
  const history = viewHistory.reduce((writer, start) => writer.u64(start), new Writer()).done();
  const domain = concatBytes(Uint8Array.of(type), u64(domainSeqno), u64(0), blob(leaf), blob(history), publicMaps);
  const iv = new Writer().u64(at).u32(ivView).done();
  const { ciphertext, tag } = suite.aead(secrets.keyFor(FIRST).key).seal(iv, domain, privateMaps);
  const body = concatBytes(tag, iv, blob(domain), ciphertext);
  const head = new Writer().u8(1).u8(flags).u32(body.length).bytes(new Uint8Array(2)).done();
  return concatBytes(head, body, utf8(input.receipt ?? ""));
}

function blob(bytes: Uint8Array): Uint8Array {
  return concatBytes(u64(bytes.length), bytes);
}

function u64(value: number): Uint8Array {
  return new Writer().u64(value).done();
}

function pad(length: number, byte = 0): Uint8Array {
  return new Uint8Array((8 - (length % 8)) % 8).fill(byte);
}
