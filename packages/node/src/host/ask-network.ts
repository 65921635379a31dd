/** Asks another node, over the API that clients use, what nodes the service has. */
import { type NetworkNode, parseNetworkState } from "@sealane/wire";
import { Agent, fetch } from "undici";

const TIMEOUT_MS = 3_000;
/** A thousand nodes and as many members fit. */
const ANSWER_BYTES_MAX = 1024 * 1024;

/**
 * @param address - `host:port` of the node's API.
 * @param serviceCertificate - PEM: the answer counts only from a node that this service has endorsed.
 * @returns undefined when none comes that counts: the caller asks again later, for as long as it has to.
 */
export async function askNetwork(
  address: string,
  serviceCertificate: string,
  signal: AbortSignal,
): Promise<readonly NetworkNode[] | undefined> {
  const dispatcher = new Agent({ connect: { ca: serviceCertificate }, maxResponseSize: ANSWER_BYTES_MAX });
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await fetch(`https://${address}/node/network`, { dispatcher, signal: within, redirect: "error" });
    return response.ok ? parseNetworkState(await response.json()).nodes : undefined;
  } catch {
    return undefined;
  } finally {
    await dispatcher.destroy();
  }
}
