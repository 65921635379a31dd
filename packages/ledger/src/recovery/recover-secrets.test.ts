import { createServiceIdentity, endorse, pemEncode, spkiHash } from "@sealane/crypto";
import { nativeSuite as suite, nativeKeyWrapping as wrapping } from "@sealane/crypto/native";
import { concatBytes, parseNodeId, type Seqno, seqno, utf8, view, type WriteSet } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { Ledger } from "../ledger.js";
import { type LedgerSecret, LedgerSecrets } from "../ledger-secrets.js";
import { memorySource } from "../ledger-source.js";
import { SINGLE_KEY } from "../signature-record.js";
import { verifyLedger } from "../verify-ledger.js";
import { makeRecovery } from "./make-recovery.js";
import { olderSecrets, readRecovery, recoverSecrets } from "./recover-secrets.js";
import { HISTORICAL_SECRET_TABLE, type HistoricalSecret, RECOVERY_SHARES_TABLE } from "./recovery-records.js";

const V2 = view(2);
const times = { notBefore: new Date("2025-01-01"), notAfter: new Date("2035-01-01") };
const service = createServiceIdentity(suite, { name: "service", ...times });
const keyPair = suite.generateKeyPair("P-384");
const nodeId = parseNodeId(spkiHash(suite, keyPair.publicKey.spki));
const der = endorse(suite, service, { publicKey: keyPair.publicKey, name: "node", hosts: [], ...times });
const certificatePem = pemEncode("CERTIFICATE", der);
const members = ["a", "b", "c"].map((id) => ({ id, ...wrapping.generateKeyPair() }));
const holders = { keys: new Map(members.map(({ id, publicKey }) => [id, publicKey])), threshold: 2 };

/** A service whose secret was changed twice, each with its recovery material, as a node writes it. */
class Service {
  readonly secrets = new LedgerSecrets([{ from: seqno(1), key: suite.randomBytes(32) }]);
  readonly ledger = new Ledger({ suite, secrets: this.secrets, nodeCertificate: () => certificatePem });
  /** Where the record of the latest secret stands. */
  stored: Seqno | undefined;

  constructor() {
    this.record(this.secrets.keyFor(seqno(1)));
    this.write("first");
    this.sign();
  }

  record(secret: LedgerSecret, previous?: LedgerSecret, more: WriteSet = []): void {
    const before =
      previous === undefined || this.stored === undefined ? {} : { previous: { ...previous, stored: this.stored } };
    const from = previous === undefined ? { from: secret.from } : {};
    const { shares, historical } = makeRecovery(suite, wrapping, { key: secret.key, ...from, ...before }, holders);
    const single = (name: string, value: Uint8Array) => ({ name, writes: [[SINGLE_KEY, value] as const], removes: [] });
    const writeSet = [...more, single(HISTORICAL_SECRET_TABLE, historical), single(RECOVERY_SHARES_TABLE, shares)];
    this.stored = this.ledger.append({ view: V2, writeSet }).seqno;
  }

  rotate(): void {
    const previous = this.secrets.keyFor(this.ledger.lastSeqno);
    const secret = { from: seqno(this.ledger.lastSeqno + 2), key: suite.randomBytes(32) };
    this.record(secret, previous);
    this.secrets.add(secret);
  }

  write(value: string): void {
    const writes = [[utf8("key"), utf8(value)] as const];
    this.ledger.append({ view: V2, writeSet: [{ name: "records", writes, removes: [] }] });
  }

  sign(): void {
    this.ledger.appendSignature({ view: V2, nodeId, keyPair, certificatePem });
  }

  source(from = 1) {
    const entries = this.ledger.range(seqno(from), this.ledger.lastSeqno) ?? [];
    return memorySource(new Map([[`ledger_${from}`, concatBytes(new Uint8Array(8), ...entries)]]));
  }
}

function rotated(): Service {
  const made = new Service();
  for (const value of ["second", "third"]) {
    made.rotate();
    made.write(value);
    made.sign();
  }
  return made;
}

async function opened(made: Service, which = [0, 1, 2], from = 1) {
  const records = await readRecovery(made.source(from), suite);
  const shares = which.map((index) => {
    const { id = "", privateKey = new Uint8Array(0) } = members[index] ?? {};
    const encrypted = records.shares.encryptedShares.get(id) ?? new Uint8Array(0);
    return wrapping.unwrap(privateKey, encrypted) ?? new Uint8Array(0);
  });
  return recoverSecrets(suite, records, shares);
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "none",
    (error: { code?: string }) => error.code,
  );

describe("the ledger secrets", () => {
  test("come back, all of them, from any two of three members", async () => {
    const made = rotated();
    for (const which of [
      [0, 1],
      [1, 2],
      [2, 0],
      [0, 1, 2],
    ]) {
      const { secrets, openFrom } = await opened(made, which);
      expect(openFrom).toBeUndefined();
      expect(secrets).toEqual(made.secrets.list());
      const result = await verifyLedger(made.source(), { suite, secrets: new LedgerSecrets(secrets) });
      // Nothing but the trust tables is missing in this ledger: no tag and no commit evidence fails.
      expect(result).toMatchObject({ ok: false, code: "unknown-node" });
    }
    expect((await opened(new Service(), [1, 2])).secrets).toHaveLength(1);
  });

  test("do not come back from one, from nobody, or from another ledger's members", async () => {
    const made = rotated();
    expect(await codeOf(opened(made, [1]))).toBe("bad-share");
    expect(await codeOf(opened(made, []))).toBe("bad-share");
    const records = await readRecovery(rotated().source(), suite);
    const others = members.map(({ id, privateKey }) =>
      wrapping.unwrap(privateKey, records.shares.encryptedShares.get(id) ?? new Uint8Array(0)),
    );
    const ours = await readRecovery(made.source(), suite);
    const given = others.filter((share) => share !== undefined);
    expect(given).toHaveLength(3);
    expect(() => recoverSecrets(suite, ours, given)).toThrow(expect.objectContaining({ code: "bad-share" }));
  });

  test("from records that no signature stands behind do not count", async () => {
    const made = rotated();
    const before = made.secrets.list();
    made.rotate();
    expect((await opened(made, [0, 1])).secrets).toEqual(before);
  });

  test("of a ledger that starts later are those it leads back to, and it says so", async () => {
    const made = rotated();
    const [, second] = made.secrets.list();
    const { secrets, openFrom } = await opened(made, [0, 2], (second?.from ?? 0) + 1);
    expect(secrets).toEqual(made.secrets.list().slice(1)); // the newest record has the one before as well
    expect(openFrom).toBe(second?.from);
  });

  test("are not there at all where a service has none", async () => {
    const ledger = new Ledger({ suite, secrets: new LedgerSecrets([{ from: seqno(1), key: new Uint8Array(32) }]) });
    const writes = [[utf8("a"), utf8("b")] as const];
    ledger.append({ view: V2, writeSet: [{ name: "public:a", writes, removes: [] }] });
    const bytes = concatBytes(new Uint8Array(8), ...(ledger.range(seqno(1), seqno(1)) ?? []));
    expect(await codeOf(readRecovery(memorySource(new Map([["ledger_1", bytes]])), suite))).toBe("no-shares");
  });

  test("stand in no record in clear, nor does what wraps them", async () => {
    const made = rotated();
    const bytes = await (await made.source().files())[0]?.read(0, 1e6);
    for (const { key } of made.secrets.list()) expect(Buffer.from(bytes ?? []).includes(Buffer.from(key))).toBe(false);
  });
});

describe("records that are damaged or hostile", () => {
  const key = new Uint8Array(32);
  const link = (from: number, stored?: number, next?: number) => ({
    ...(next === undefined ? {} : { next: seqno(next) }),
    previous: {
      encrypted: new Uint8Array(60),
      from: seqno(from),
      ...(stored === undefined ? {} : { stored: seqno(stored) }),
    },
  });

  test("end the walk back with a code, whatever they say", () => {
    for (const records of [
      [[9, link(1, 3)]],
      [[9, { ...link(1, 3), previous: { ...link(1).previous, encrypted: new Uint8Array(3) } }]],
    ] as const) {
      const historical = new Map(records.map(([at, record]) => [seqno(at), record]));
      expect(() => olderSecrets(suite, historical, key)).toThrow(expect.objectContaining({ code: "bad-recovery" }));
    }
    expect(() => olderSecrets(suite, new Map(), key)).toThrow(expect.objectContaining({ code: "no-shares" }));
  });

  test.each([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["null", "null"],
    ["no shares", "{}"],
    ["a share that is no text", '{"encrypted_shares":{"a":1},"wrapped_latest_ledger_secret":""}'],
    ["a secret that is no base64", '{"encrypted_shares":{},"wrapped_latest_ledger_secret":"!"}'],
    [
      "a negative seqno",
      '{"encrypted_shares":{},"wrapped_latest_ledger_secret":"","previous_secret_stored_version":-1}',
    ],
  ])("%s is refused", async (_, json) => {
    const made = new Service();
    const writes = [[SINGLE_KEY, utf8(json)] as const];
    made.ledger.append({ view: V2, writeSet: [{ name: RECOVERY_SHARES_TABLE, writes, removes: [] }] });
    made.sign();
    expect(await codeOf(opened(made))).toBe("bad-recovery");
  });

  test("a link that leads nowhere, in a circle, or to another secret is refused", async () => {
    const made = rotated();
    const { historical } = await readRecovery(made.source(), suite);
    const latest = made.secrets.list().at(-1)?.key ?? key;
    const [first, second, third] = [...historical];
    if (first === undefined || second?.[1].previous === undefined || third?.[1].previous === undefined)
      throw new Error("a chain of three");
    const [firstAt, thirdAt, previous] = [first[0], third[0], third[1].previous];
    const changes: readonly ReadonlyMap<Seqno, HistoricalSecret>[] = [
      new Map([[thirdAt, { previous: { ...previous, stored: thirdAt } }]]),
      new Map([[thirdAt, { previous: { ...previous, from: seqno(1_000) } }]]),
      new Map([[thirdAt, { previous: second[1].previous }]]),
      // Back to a record of a secret that nothing has opened yet.
      new Map([
        [firstAt, { next: seqno(1), previous }],
        [thirdAt, { previous: { ...previous, stored: firstAt } }],
      ]),
    ];
    for (const change of changes) {
      expect(() => olderSecrets(suite, change, latest)).toThrow(expect.objectContaining({ code: "bad-recovery" }));
    }
  });
});
