/** What a receipt proves, and the steps by which it does (ledger spec §9.3). Digests and keys are bytes, ids are hex. */
import type { TxId } from "@sealane/wire";

/** One computation of the verifier, in the order in which they are made. Every digest has 32 bytes. */
export type ReceiptStep =
  /** `digest` = SHA-256 of the evidence text. */
  | { readonly type: "evidence"; readonly text: string; readonly digest: Uint8Array }
  /** As the receipt says, and if claims were given, SHA-256 of them. */
  | { readonly type: "claims"; readonly digest: Uint8Array }
  /** `digest` = SHA-256(write set digest ‖ evidence digest ‖ claims digest). */
  | { readonly type: "leaf"; readonly digest: Uint8Array }
  /** `node` = SHA-256(`left` ‖ `right`); the sibling, which the receipt gives, stands on `side`. */
  | {
      readonly type: "fold";
      readonly side: "left" | "right";
      readonly left: Uint8Array;
      readonly right: Uint8Array;
      readonly node: Uint8Array;
    }
  /** The signature over `root` verified with the key whose SPKI hashes to `keyId`. */
  | { readonly type: "signature"; readonly by: "node" | "service"; readonly root: Uint8Array; readonly keyId: string }
  /** The certificate of key `keyId` is signed by key `issuerKeyId`. The last one's issuer is the service that was given. */
  | { readonly type: "endorsement"; readonly keyId: string; readonly issuerKeyId: string };

/**
 * What is proved of a transaction, if one believes the service: that it committed it, and what it wrote, by digest. An entry whose
 * SHA-256 is `writeSetDigest` is what was written; claims whose SHA-256 is `claimsDigest` are what the application said.
 */
export interface ReceiptFacts {
  readonly form: "json" | "cose";
  /** Absent where the leaf is given as it is: entries of type 0, and signature transactions, name no transaction. */
  readonly transactionId?: TxId;
  /**
   * Absent when the leaf is given as it is. Then only `leaf` is proved to be in the tree, and for an entry of type 0 it is the digest of the
   * entry's bytes: have those bytes, and compare.
   */
  readonly writeSetDigest?: Uint8Array;
  /** Absent in entries without: types 0 and 3. 32 zero bytes: the application claimed nothing. */
  readonly claimsDigest?: Uint8Array;
  /** Of a signature transaction's receipt it is the root that was signed (§9.1). */
  readonly leaf: Uint8Array;
  readonly root: Uint8Array;
  /** The node that signed; JSON form only. */
  readonly nodeId?: string;
  /** What the service signed beside the root; COSE form only. `issuedAt` is Unix time in seconds. */
  readonly signature?: {
    readonly txId: TxId;
    readonly issuer: string;
    readonly subject: string;
    readonly issuedAt: number;
  };
  /** Hex SHA-256 of the SPKI of the service key that vouches for all this. */
  readonly serviceId: string;
  readonly steps: readonly ReceiptStep[];
}
