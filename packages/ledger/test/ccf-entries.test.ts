/** Every transaction of four real CCF ledgers, against figures computed by CCF's own tooling (ledger spec §2–§7). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { equalBytes, fromUtf8, hex } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { SignatureChecker } from "../src/check-signature.js";
import { decodeEntry } from "../src/decode-entry.js";
import { encodeEntry } from "../src/encode-entry.js";
import { commitEvidence } from "../src/ledger-secrets.js";
import { MerkleTree } from "../src/merkle-tree.js";
import {
  ABSENT,
  CCF_LEDGERS,
  ccfLedgersPresent,
  expectedOf,
  ledgerDirectoryOf,
  secretsOf,
  transactionsOf,
} from "./shared.js";

if (!ccfLedgersPresent) test.skip(ABSENT, () => {});

describe.skipIf(!ccfLedgersPresent).each(CCF_LEDGERS)("%s", (name) => {
  const expected = expectedOf(name);
  const transactions = transactionsOf(name);
  const secrets = secretsOf(expected);
  const files = new Map(
    expected.files.map((file) => [file.name, new Uint8Array(readFileSync(join(ledgerDirectoryOf(name), file.name)))]),
  );
  const entries = transactions.map(({ file, offset, size }) => {
    const bytes = files.get(file)?.subarray(offset, offset + size);
    if (bytes === undefined) throw new Error(`no file ${file}`);
    return bytes;
  });

  test("every entry decodes and decrypts to the expected figures", () => {
    for (const [index, transaction] of transactions.entries()) {
      const entry = decodeEntry(suite, secrets, entries[index] ?? new Uint8Array());
      const evidence = transaction.commit_evidence;
      expect({
        seqno: entry.seqno,
        view: entry.view,
        entry_type: entry.entryType,
        flags: entry.flags,
        signature: entry.isSignature,
        public_tables: entry.publicMaps.length,
        public_writes: entry.publicMaps.reduce((sum, { writes }) => sum + writes.length, 0),
        public_removes: entry.publicMaps.reduce((sum, { removes }) => sum + removes.length, 0),
        private_tables: entry.privateMaps?.map(({ name }) => name),
        write_set_digest: hex(entry.writeSetDigest),
        claims_digest: entry.claimsDigest === undefined ? null : hex(entry.claimsDigest),
        commit_evidence: entry.commitEvidenceDigest === undefined ? null : commitEvidence(suite, secrets, entry),
        leaf: hex(entry.leaf),
      }).toEqual({
        seqno: transaction.seqno,
        view: transaction.view,
        entry_type: transaction.entry_type,
        flags: transaction.flags,
        signature: transaction.signature,
        public_tables: transaction.public_tables,
        public_writes: transaction.public_writes,
        public_removes: transaction.public_removes,
        private_tables: transaction.private_tables,
        write_set_digest: transaction.write_set_digest,
        claims_digest: transaction.claims_digest,
        commit_evidence: evidence,
        leaf: transaction.leaf,
      });
    }
    expect(transactions.length).toBe(expected.transactions);
  });

  test("encoding what was decoded gives CCF's own bytes, for type 4 and reserved 0", () => {
    let compared = 0;
    for (const bytes of entries) {
      const entry = decodeEntry(suite, secrets, bytes);
      if (entry.entryType !== 4) continue;
      const { view, seqno, flags, writeSet, claimsDigest } = entry;
      if (claimsDigest === undefined) throw new Error("type 4 has a claims digest");
      const again = encodeEntry(suite, secrets, { view, seqno, flags, writeSet, claimsDigest });
      expect(equalBytes(again, bytes)).toBe(true);
      compared++;
    }
    expect(compared).toBeGreaterThan(40);
  });

  test("every signature signs our root, its tree is ours, and the node's key verifies it", () => {
    const tree = new MerkleTree(suite);
    const checker = new SignatureChecker(suite);
    const certificates = new Map<string, string>();
    let service: string | undefined;
    const roots: unknown[] = [];
    for (const bytes of entries) {
      const entry = decodeEntry(suite, undefined, bytes);
      const { signature } = entry;
      if (signature !== undefined) {
        checker.check(
          signature,
          entry,
          tree,
          (node) => certificates.get(node),
          () => service,
        );
        const serialised = MerkleTree.deserialise(suite, signature.tree);
        expect(hex(serialised.root())).toBe(hex(tree.root()));
        expect(tree.serialise(serialised.first)).toEqual(signature.tree);
        roots.push({
          seqno: entry.seqno,
          view: entry.view,
          node: signature.node,
          root: hex(tree.root()),
          first: serialised.first,
        });
      }
      for (const { name, writes } of entry.publicMaps) {
        for (const [key, value] of writes) {
          if (name === "public:ccf.gov.nodes.endorsed_certificates") certificates.set(fromUtf8(key), fromUtf8(value));
          if (name === "public:ccf.gov.nodes.info") {
            const { cert } = JSON.parse(fromUtf8(value)); // 1.x ledgers keep it here
            if (cert) certificates.set(fromUtf8(key), cert);
          }
          if (name === "public:ccf.gov.service.info") service = JSON.parse(fromUtf8(value)).cert;
        }
      }
      tree.append(entry.leaf);
    }
    expect(roots).toEqual(
      expected.signature_roots.map(({ seqno, view, node, root, tree_first_leaf }) => ({
        seqno,
        view,
        node,
        root,
        first: tree_first_leaf,
      })),
    );
    expect(hex(tree.root())).toBe(expected.root_after_all);
  });
});
