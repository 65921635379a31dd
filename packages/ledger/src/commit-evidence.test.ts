import { nobleSuite } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { formatTxId, hex, seqno, utf8, VIEW_MAX, view } from "@sealane/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EvidenceMaker } from "./commit-evidence.js";

const secret = new Uint8Array(32).fill(7);
const txIds = fc
  .tuple(fc.integer({ min: 0, max: VIEW_MAX }), fc.maxSafeNat())
  .map(([v, s]) => ({ view: view(v), seqno: seqno(s) }));

test.each([nativeSuite, nobleSuite])("§5: evidence is made with HMAC as the suite has it ($name)", (suite) => {
  const maker = new EvidenceMaker(suite, secret);
  const commitSecret = suite.hmacSha256(secret, utf8("Commit S"));
  fc.assert(
    fc.property(txIds, (txId) => {
      const id = formatTxId(txId);
      const text = `ce:${id}:${hex(suite.hmacSha256(commitSecret, utf8(id)))}`;
      expect(maker.text(txId)).toBe(text);
      expect(maker.digest(txId)).toEqual(suite.sha256(utf8(text)));
    }),
    {
      examples: [
        [{ view: view(VIEW_MAX), seqno: seqno(Number.MAX_SAFE_INTEGER) }],
        [{ view: view(0), seqno: seqno(0) }],
      ],
    },
  );
});

test("a short id after a long one leaves nothing of it", () => {
  const maker = new EvidenceMaker(nativeSuite, secret);
  const short = { view: view(2), seqno: seqno(1) };
  const before = maker.text(short);
  maker.text({ view: view(VIEW_MAX), seqno: seqno(Number.MAX_SAFE_INTEGER) });
  expect(maker.text(short)).toBe(before);
});
