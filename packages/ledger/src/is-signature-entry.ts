/** Tells a signature entry from any other without decoding it: for a search that passes over thousands of entries to find one. */
import { fromUtf8, Reader, WireError } from "@sealane/wire";
import { DIGEST_BYTES, NAME_BYTES_MAX, PUBLIC_LENGTH_OFFSET } from "./limits.js";
import { COSE_SIGNATURES_TABLE, SIGNATURES_TABLE } from "./signature-record.js";

/**
 * Whether an entry says that it is a signature. That it is one, and that it holds, is for `decodeEntry` and a check of the signature to find.
 * @param bytes - One whole entry. Whatever else they are, the answer is `false`.
 */
export function isSignatureEntry(bytes: Uint8Array): boolean {
  try {
    const domain = new Reader(new Reader(bytes.subarray(PUBLIC_LENGTH_OFFSET)).blob64(undefined, "public domain"));
    const type = domain.u8("entry type");
    const digests = (type === 2 || type === 4 ? 1 : 0) + (type === 3 || type === 4 ? 1 : 0); // §3.1
    domain.bytes(8 + digests * DIGEST_BYTES + 8, "seqno, digests, reserved");
    // §7, §3.2: it holds the signature tables alone, ascending by name, so one of these two comes first.
    const first = fromUtf8(domain.blob64(NAME_BYTES_MAX, "map name"));
    return first === COSE_SIGNATURES_TABLE || first === SIGNATURES_TABLE;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}
