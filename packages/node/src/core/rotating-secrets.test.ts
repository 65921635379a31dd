import { nativeSuite as suite } from "@sealane/crypto/native";
import { simulatedKeyWrapping } from "@sealane/crypto/simulated";
import { encodeEntry, LedgerError, LedgerSecrets } from "@sealane/ledger";
import { base64, parseNodeId, type Seqno, seqno, utf8, view, type WriteSet } from "@sealane/wire";
import { expect, it } from "vitest";
import { Replay } from "./log-state.js";
import { RotatingSecrets } from "./rotating-secrets.js";
import { encryptedLedgerSecrets } from "./tables.js";

const wrapping = simulatedKeyWrapping((length) => suite.randomBytes(length));
const encryption = { wrapping, ...wrapping.generateKeyPair() };
const id = parseNodeId("ab".repeat(32));
const first = suite.randomBytes(32);
const given = [{ from: seqno(1), key: first }];

const secretsOf = (): RotatingSecrets => new RotatingSecrets(suite, given, { id, key: encryption });

function rotation(key: Uint8Array, to = encryption.publicKey): WriteSet {
  const share = [{ version: null, encrypted_secret: base64(wrapping.wrap(to, key)) }];
  return [
    {
      name: encryptedLedgerSecrets.name,
      writes: [[new Uint8Array(8), utf8(JSON.stringify({ [id]: share }))]],
      removes: [],
    },
  ];
}

function entry(at: number, key: Uint8Array, writeSet?: WriteSet): Uint8Array {
  const record: WriteSet = [{ name: "records", writes: [[utf8(`${at}`), utf8("value")]], removes: [] }];
  const secrets = new LedgerSecrets([{ from: seqno(1), key }]);
  return encodeEntry(suite, secrets, { view: view(2), seqno: seqno(at), writeSet: writeSet ?? record });
}

const seqnos = (entries: readonly { readonly seqno: Seqno }[]): number[] => entries.map(({ seqno }) => seqno);

it("opens a batch that brings a secret and uses it, without learning it yet", () => {
  const secrets = secretsOf();
  const second = suite.randomBytes(32);
  const batch = [entry(4, first), entry(5, first, rotation(second)), entry(6, second)];
  expect(seqnos(secrets.decodeAll(batch, seqno(4)))).toEqual([4, 5, 6]);
  expect(secrets.current.lastFrom).toBe(1);
  expect(seqnos(secrets.decodeAll([entry(6, second)], seqno(6)))).toEqual([]);
});

it("opens what replaces a rotation that is in the log, by the secrets from before it", () => {
  const secrets = secretsOf();
  const second = suite.randomBytes(32);
  const other = suite.randomBytes(32);
  secrets.handleAppend(rotation(second), seqno(5));
  const without = [entry(5, first), entry(6, first)];
  const withOther = [entry(5, first, rotation(other)), entry(6, other)];
  const withTheSame = [entry(5, first, rotation(second)), entry(6, second)];
  for (const batch of [without, withOther, withTheSame]) {
    expect(seqnos(secrets.decodeAll(batch, seqno(5)))).toEqual([5, 6]);
  }
  expect(seqnos(secrets.decodeAll([entry(6, second), entry(7, second)], seqno(6)))).toEqual([6, 7]);
});

it("stops at the first entry that cannot be opened", () => {
  const wrong = suite.randomBytes(32);
  expect(seqnos(secretsOf().decodeAll([entry(2, first), entry(3, wrong), entry(4, first)], seqno(2)))).toEqual([2]);
});

it("learns where a rotation is appended, forgets where it is taken back, and keeps what it was given", () => {
  const secrets = secretsOf();
  expect(secrets.handleAppend(rotation(suite.randomBytes(32)), seqno(5))).toBe(true);
  expect(secrets.kept).toMatchObject([{ from: 1 }, { from: 6, isLearned: true }]);
  expect(secrets.handleRollback(seqno(5))).toBe(false);
  expect(secrets.handleRollback(seqno(4))).toBe(true);
  expect(secrets.handleRollback(seqno(0))).toBe(false);
  expect(secrets.current.list()).toEqual(given);
});

it("does not look for its share in a rotation from before its time", () => {
  const later = { from: seqno(6), key: suite.randomBytes(32) };
  const secrets = new RotatingSecrets(suite, [...given, later], { id, key: encryption });
  const strangers = rotation(later.key, wrapping.generateKeyPair().publicKey);
  expect(secrets.handleAppend(strangers, seqno(5))).toBe(false);
  const batch = [entry(5, first, strangers), entry(6, later.key)];
  expect(seqnos(secrets.decodeAll(batch, seqno(5)))).toEqual([5, 6]);
});

it("refuses a rotation without a share that it can open", () => {
  const strangers = rotation(suite.randomBytes(32), wrapping.generateKeyPair().publicKey);
  const short = rotation(suite.randomBytes(31));
  for (const writeSet of [strangers, short]) {
    expect(() => secretsOf().handleAppend(writeSet, seqno(5))).toThrow(LedgerError);
  }
});

it("takes entries under a secret that a crash may have left behind for whole, and says when it did not", () => {
  const second = suite.randomBytes(32);
  const kept = [...given, { from: seqno(2), key: second, isLearned: true as const }];
  const hardState = { view: view(2), votedFor: undefined, commitSeqno: seqno(0) };
  const replay = new Replay({ suite, id, ledgerSecrets: kept, encryption }, hardState);
  expect(replay.isIntact(entry(2, second))).toBe(true);
  expect(replay.isIntact(entry(2, first))).toBe(false);
  expect(replay.secretsAreStale).toBe(true); // the transaction that brought it is not there
  replay.handleEntry(entry(1, first, rotation(second)));
  replay.handleEntry(entry(2, second));
  expect(replay.secretsAreStale).toBe(false);
});
