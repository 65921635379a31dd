/**
 * Whether the bytes of an entry are what the service signed, computed here, step by step (ledger spec §9.3): from the stored bytes to their
 * digest, the leaf, along the path to the root, to the signature over it, to the service. With one byte changed it shows how far it gets.
 */

import { nobleSuite } from "@sealane/crypto";
import { type DecodedEntry, decodeEntry, LedgerError, MerkleTree } from "@sealane/ledger";
import {
  type JsonReceipt,
  type ReceiptCrypto,
  ReceiptError,
  type ReceiptStep,
  verifyReceipt,
} from "@sealane/ledger/receipt";
import { base64, equalBytes, hex } from "@sealane/wire";
import type { ReceiptView } from "../../ledger-feed.js";

export interface Check {
  /** `changed`: another digest than that of the entry as it was. `broken`: here the proof ends. */
  readonly state: "holds" | "changed" | "broken";
  readonly title: string;
  readonly detail?: string;
  /** 64 hex digits. */
  readonly digest?: string;
}

export interface Examined {
  readonly holds: boolean;
  readonly checks: readonly Check[];
}

/**
 * @param bytes - The entry, perhaps changed.
 * @param original - The entry as the node has it.
 * @param given - The receipt of the original.
 */
export async function examine(
  bytes: Uint8Array,
  original: DecodedEntry,
  given: ReceiptView,
  crypto: ReceiptCrypto,
): Promise<Examined> {
  const checks: Check[] = [];
  const entry = readEntry(bytes, checks);
  const digest = await crypto.sha256(bytes);
  const isSame = equalBytes(digest, original.writeSetDigest);
  checks.push({
    state: isSame ? "holds" : "changed",
    title: "Digest of the stored bytes",
    detail: isSame
      ? "SHA-256 of header, tag, IV, public part and ciphertext"
      : "SHA-256 of other bytes: another digest",
    digest: hex(digest),
  });
  if (original.isSignature && entry !== undefined) checkTree(entry, checks);

  // The server that made the receipt is not trusted for this: what is verified is what these bytes would need to be proved.
  const receipt: JsonReceipt = JSON.parse(given.receipt);
  const claimed = withBytes(receipt, original.isSignature ? entry : undefined, digest);
  const options = { crypto, serviceCertificate: given.serviceCertificate };
  const expected = await stepsOf(JSON.stringify(receipt), options);
  const got = await stepsOf(JSON.stringify(claimed), options);
  for (const [index, step] of got.steps.entries()) checks.push(checkOf(step, expected.steps[index]));
  if (got.error !== undefined) checks.push(brokenBy(got.error));
  return { holds: checks.every(({ state }) => state === "holds"), checks };
}

function readEntry(bytes: Uint8Array, checks: Check[]): DecodedEntry | undefined {
  try {
    const entry = decodeEntry(nobleSuite, undefined, bytes);
    checks.push({ state: "holds", title: "The entry can be read", detail: `type ${entry.entryType}, without any key` });
    return entry;
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    checks.push({ state: "broken", title: "The entry cannot be read", detail: error.message });
    return undefined;
  }
}

/** §6.4: a signature entry carries the tree it signs. */
function checkTree({ signature }: DecodedEntry, checks: Check[]): void {
  if (signature === undefined) return;
  let root: Uint8Array | undefined;
  try {
    root = MerkleTree.deserialise(nobleSuite, signature.tree).root();
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
  }
  const holds = root !== undefined && equalBytes(root, signature.root);
  checks.push({
    state: holds ? "holds" : "broken",
    title: holds ? "The tree it carries has the root it signs" : "The tree it carries does not have the root it signs",
    ...(root === undefined ? {} : { digest: hex(root) }),
  });
}

/** The receipt that these bytes would have. A signature transaction's receipt is about the root it signed (§9.1). */
function withBytes(receipt: JsonReceipt, signatureEntry: DecodedEntry | undefined, digest: Uint8Array): JsonReceipt {
  const { signature } = signatureEntry ?? {};
  if (signature !== undefined)
    return { ...receipt, signature: base64(signature.sig), leaf: hex(signature.root), node_id: signature.node };
  const { leaf_components: components } = receipt;
  if (components === undefined) return receipt;
  return { ...receipt, leaf_components: { ...components, write_set_digest: hex(digest) } };
}

async function stepsOf(
  receipt: string,
  options: { readonly crypto: ReceiptCrypto; readonly serviceCertificate: string },
): Promise<{ readonly steps: readonly ReceiptStep[]; readonly error?: ReceiptError }> {
  try {
    return await verifyReceipt(receipt, options);
  } catch (error) {
    if (!(error instanceof ReceiptError)) throw error;
    return { steps: error.steps, error };
  }
}

function checkOf(step: ReceiptStep, expected: ReceiptStep | undefined): Check {
  const digest = digestOf(step);
  const before = expected === undefined ? undefined : digestOf(expected);
  const state = digest === before ? "holds" : "changed";
  switch (step.type) {
    case "evidence":
      return { state, title: "Commit evidence", detail: step.text, ...shown(digest) };
    case "claims":
      return { state, title: "Claims of the application", detail: claimsText(step.digest), ...shown(digest) };
    case "leaf":
      return {
        state,
        title: "Leaf of the Merkle tree",
        detail: "SHA-256 of the three digests above",
        ...shown(digest),
      };
    case "fold":
      return {
        state,
        title: step.side === "left" ? "Joined with its left sibling" : "Joined with its right sibling",
        detail: hex(step.side === "left" ? step.left : step.right),
        ...shown(digest),
      };
    case "signature":
      return { state, title: `The root is signed by the ${step.by}`, detail: step.keyId, ...shown(digest) };
    case "endorsement":
      return { state, title: "That node is endorsed by the service", detail: step.issuerKeyId };
    default:
      return step satisfies never;
  }
}

function digestOf(step: ReceiptStep): string | undefined {
  switch (step.type) {
    case "evidence":
    case "claims":
    case "leaf":
      return hex(step.digest);
    case "fold":
      return hex(step.node);
    case "signature":
      return hex(step.root);
    case "endorsement":
      return undefined;
    default:
      return step satisfies never;
  }
}

function shown(digest: string | undefined): { readonly digest?: string } {
  return digest === undefined ? {} : { digest };
}

function claimsText(digest: Uint8Array): string {
  return digest.every((byte) => byte === 0) ? "none" : "a digest of what it said about this transaction";
}

function brokenBy({ code, message }: ReceiptError): Check {
  const detail =
    code === "bad-signature" ? "The signature is over another root: these bytes were never signed." : message;
  return { state: "broken", title: "The proof breaks here", detail };
}
