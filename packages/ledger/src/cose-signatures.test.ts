/** Ledger spec §7.3 and §8.1 step 4: the COSE form on signature entries, written, replicated and verified. */
import { pemEncode } from "@sealane/crypto";
import { concatBytes, seqno, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import {
  at,
  codeOf,
  createLedger,
  createService,
  decode,
  genesis,
  put,
  secrets,
  service,
  serviceSigner,
  signBoth,
  suite,
  V2,
} from "../test/fixture.js";
import { coseSignedBytes } from "./cose/cose-sign1.js";
import { encodeCoseHeader } from "./cose/encode-cose.js";
import type { DecodedEntry } from "./decode-entry.js";
import type { Ledger, ServiceSigner } from "./ledger.js";
import { memorySource } from "./ledger-source.js";
import { COSE_SIGNATURES_TABLE, SIGNATURES_TABLE, TREE_TABLE } from "./signature-record.js";
import { verifyLedger } from "./verify-ledger.js";

function start(options = {}): Ledger {
  const ledger = createLedger(options);
  ledger.append({ view: V2, writeSet: genesis() });
  ledger.append({ view: V2, writeSet: put("key", "value") });
  return ledger;
}

function replicate(entries: readonly DecodedEntry[], options = {}): unknown {
  const backup = createLedger(options);
  return codeOf(() => {
    for (const entry of entries) backup.appendReplicated(entry);
  });
}

function entriesOf(ledger: Ledger): DecodedEntry[] {
  return [1, 2, 3].map((number) => decode({ bytes: at(ledger.range(seqno(number), seqno(number)) ?? [], 0) }));
}

async function verifyCode(entries: readonly DecodedEntry[]): Promise<unknown> {
  const bytes = concatBytes(new Uint8Array(8), ...entries.map((entry) => entry.bytes));
  const result = await verifyLedger(memorySource(new Map([["ledger_1", bytes]])), { suite, secrets });
  return result.ok ? "no error" : result.code;
}

test("a signature entry holds the three tables, in order, and the service's signature over the root", () => {
  const ledger = start();
  const root = ledger.root();
  const { publicMaps, signature } = decode(signBoth(ledger));
  expect(publicMaps.map(({ name }) => name)).toEqual([COSE_SIGNATURES_TABLE, SIGNATURES_TABLE, TREE_TABLE]);
  const cose = signature?.cose;
  if (cose === undefined) throw new Error("it has the COSE form");
  expect(cose.header).toMatchObject({ issuer: "service.example.com", issuedAt: 1_750_000_000, algorithm: -35 });
  expect(cose.header.txId).toEqual({ view: 2, seqno: 3 });
  expect(suite.verify(service.keyPair.publicKey, coseSignedBytes(cose, root), cose.signature)).toBe(true);
});

test("a backup and the verifier accept it", async () => {
  const ledger = start();
  signBoth(ledger);
  expect(replicate(entriesOf(ledger))).toBe("no error");
  expect(await verifyCode(entriesOf(ledger))).toBe("no error");
});

describe("refused", () => {
  const cases: readonly (readonly [string, () => ServiceSigner, string])[] = [
    ["the key of another service", () => serviceSigner(createService("other")), "bad-kid"],
    [
      "a signature with another key than the kid says",
      () => ({
        ...serviceSigner(),
        keyPair: { privateKey: createService().keyPair.privateKey, publicKey: service.keyPair.publicKey },
      }),
      "bad-cose-signature",
    ],
  ];
  test.each(cases)("%s", async (_, signer, code) => {
    const ledger = start();
    signBoth(ledger, signer());
    expect(replicate(entriesOf(ledger))).toBe(code);
    expect(await verifyCode(entriesOf(ledger))).toBe(code);
  });

  test.each([
    ["the root of another ledger", "bad-cose-signature", { view: V2, seqno: seqno(3) }],
    ["another seqno", "bad-seqno", { view: V2, seqno: seqno(4) }],
    ["another view", "bad-view", { view: view(3), seqno: seqno(3) }],
  ])("a COSE form over %s", (_, code, txId) => {
    const ledger = start();
    signBoth(ledger);
    const [first, second, last] = entriesOf(ledger);
    if (first === undefined || second === undefined || last?.signature?.cose === undefined)
      throw new Error("three entries");
    const { header } = last.signature.cose;
    const other = code === "bad-cose-signature" ? { ...header, subject: "another one" } : { ...header, txId };
    const entry = {
      ...last,
      signature: {
        ...last.signature,
        cose: { ...last.signature.cose, header: other, protectedBytes: encodeCoseHeader(other) },
      },
    };
    expect(replicate([first, second, entry])).toBe(code);
  });

  test("without a service identity to check it with", () => {
    const ledger = start();
    signBoth(ledger);
    expect(replicate(entriesOf(ledger), { serviceCertificate: () => undefined })).toBe("no-service");
    expect(replicate(entriesOf(ledger), { serviceCertificate: () => "no certificate" })).toBe("bad-certificate");
  });

  test("a time that is no whole number of seconds", () => {
    const ledger = start();
    expect(() => signBoth(ledger, { ...serviceSigner(), issuedAt: 1.5 })).toThrow(RangeError);
    expect(() => signBoth(ledger, { ...serviceSigner(), issuedAt: -1 })).toThrow(RangeError);
    expect(ledger.lastSeqno).toBe(2);
  });
});

test("a renewed certificate of the same service key verifies", () => {
  const ledger = start();
  signBoth(ledger);
  const renewed = pemEncode("CERTIFICATE", service.certificate);
  expect(replicate(entriesOf(ledger), { serviceCertificate: () => renewed })).toBe("no error");
});
