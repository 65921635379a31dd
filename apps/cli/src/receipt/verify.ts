/** Verifies a receipt and prints what it proves. */
import {
  RECEIPT_BYTES_MAX,
  ReceiptError,
  type ReceiptFacts,
  suiteCrypto,
  verifyReceipt,
} from "@sealane/ledger/receipt";
import { formatTxId, fromBase64, fromUtf8, hex, WireError } from "@sealane/wire";
import { CliError } from "../cli-error.js";
import { nativeSuite, readCertificate } from "../inputs.js";
import type { Io } from "../io.js";
import { CLAIMS_BYTES_MAX, readBytes } from "./read-bytes.js";

export interface VerifyReceiptFlags {
  readonly serviceCert: string;
  readonly claims?: string;
  readonly json?: boolean;
}

/** @throws {CliError} that says why it proves nothing. */
export async function verifyReceiptFile(io: Io, path: string, flags: VerifyReceiptFlags): Promise<void> {
  const { pem } = await readCertificate(nativeSuite, flags.serviceCert, "the service certificate");
  const claims = flags.claims === undefined ? undefined : await readBytes(flags.claims, "the claims", CLAIMS_BYTES_MAX);
  const receipt = await readBytes(path, "a receipt", 2 * RECEIPT_BYTES_MAX); // base64 makes it longer
  const facts = await verify(withoutBase64(receipt), pem, claims);
  if (flags.json === true) await io.printLine(JSON.stringify(facts, bytesAsHex));
  else for (const line of factLines(facts)) await io.printLine(line);
}

async function verify(receipt: Uint8Array, serviceCertificate: string, claims?: Uint8Array): Promise<ReceiptFacts> {
  const crypto = suiteCrypto(nativeSuite);
  try {
    return await verifyReceipt(receipt, { crypto, serviceCertificate, ...(claims && { claims }) });
  } catch (cause) {
    if (!(cause instanceof ReceiptError)) throw cause;
    throw new CliError(`the receipt proves nothing: ${cause.code}: ${cause.message}`, { cause });
  }
}

/** The COSE form as `receipt get --cose` prints it; anything else is left as it is. */
function withoutBase64(bytes: Uint8Array): Uint8Array {
  try {
    return fromBase64(fromUtf8(bytes).trim());
  } catch (error) {
    if (error instanceof WireError) return bytes;
    throw error;
  }
}

function factLines(facts: ReceiptFacts): string[] {
  const { transactionId, writeSetDigest, claimsDigest, leaf, root, nodeId, signature, serviceId } = facts;
  return [
    transactionId === undefined
      ? `receipt ok: the service signed a ledger with this leaf or root: ${hex(leaf)}`
      : `receipt ok: transaction ${formatTxId(transactionId)} is committed`,
    ...(writeSetDigest === undefined ? [] : [`write set: ${hex(writeSetDigest)}`]),
    ...(claimsDigest === undefined
      ? []
      : [`claims: ${claimsDigest.some((byte) => byte !== 0) ? hex(claimsDigest) : "none"}`]),
    `root: ${hex(root)}`,
    signature === undefined
      ? `signed by node ${nodeId ?? "unknown"}`
      : `signed by the service in ${formatTxId(signature.txId)}, ${timeText(signature.issuedAt)}`,
    `service: ${serviceId}`,
  ];
}

/** The service may have signed any number; not each is a date. */
function timeText(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? `${seconds} s after 1970` : time.toISOString();
}

function bytesAsHex(_name: string, value: unknown): unknown {
  return value instanceof Uint8Array ? hex(value) : value;
}
