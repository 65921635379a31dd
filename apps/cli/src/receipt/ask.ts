/** Asks a node for the receipt of one transaction, and prints it once it has verified. */
import { base64, formatTxId, fromUtf8, type TxId } from "@sealane/wire";
import { CliError } from "../cli-error.js";
import { withService } from "../commands/service-options.js";
import type { Io } from "../io.js";
import type { GetReceiptFlags } from "./get.js";
import { CLAIMS_BYTES_MAX, readBytes } from "./read-bytes.js";

/** @throws {CliError} without a service certificate, {ClientError} otherwise. */
export async function askReceipt(io: Io, url: string, txId: TxId, flags: GetReceiptFlags): Promise<void> {
  const { serviceCert, timeout, cose } = flags;
  if (serviceCert === undefined) {
    throw new CliError("give --service-cert: the node, and the receipt, are checked against it");
  }
  const claims = flags.claims === undefined ? undefined : await readBytes(flags.claims, "the claims", CLAIMS_BYTES_MAX);
  const form = cose === true ? "cose" : "json";
  const { receipt } = await withService({ url: [url], serviceCert, timeout }, (client, service) =>
    client.receipt(formatTxId(txId), { form, claims, serviceCertificate: service.pem }),
  );
  await io.printLine(form === "cose" ? base64(receipt) : fromUtf8(receipt));
}
