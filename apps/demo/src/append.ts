/** Sends lines through one node, a bounded number at a time, and keeps account of each. */
import { type Client, ClientError, type ClientErrorCode } from "@sealane/client";
import type { Line } from "./lines.js";

export interface Acknowledged {
  readonly line: Line;
  /** `view.seqno`, as the node answered. */
  readonly txId: string;
  /** False when the node already held this record, from an attempt whose answer was lost. */
  readonly created: boolean;
}

export interface Refused {
  readonly line: Line;
  readonly code: ClientErrorCode;
  readonly retryable: boolean;
  readonly message: string;
  readonly ms: number;
}

export interface Appended {
  readonly acknowledged: readonly Acknowledged[];
  readonly refused: readonly Refused[];
}

/**
 * Writes every line and waits until it is committed or refused.
 * @param inFlight - Writes under way at the same time.
 * @param onAcknowledged - Told the number of acknowledged lines after each.
 * @throws whatever is not a `ClientError`: a refusal is an outcome, a bug is not.
 */
export async function appendLines(
  client: Client,
  lines: readonly Line[],
  inFlight: number,
  onAcknowledged?: (count: number) => void,
): Promise<Appended> {
  const acknowledged: Acknowledged[] = [];
  const refused: Refused[] = [];
  let next = 0;
  const worker = async () => {
    for (let line = lines[next++]; line !== undefined; line = lines[next++]) {
      const startedAt = performance.now();
      try {
        const { txId, created } = await client.put(line.key, JSON.parse(line.text) as unknown);
        acknowledged.push({ line, txId, created });
        onAcknowledged?.(acknowledged.length);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        const { code, retryable, message } = error;
        refused.push({ line, code, retryable, message, ms: Math.round(performance.now() - startedAt) });
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return { acknowledged, refused };
}
