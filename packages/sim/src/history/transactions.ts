/** What must hold of transaction ids and of what nodes say became of them, whatever the application does. */
import { formatTxId, type NodeId, type TxId, type TxStatus } from "@sealane/wire";
import { ViolationError } from "../violation.js";
import type { Operation } from "./history.js";

/** One answer to "what became of this transaction?". */
export interface StatusAnswer {
  readonly node: NodeId;
  /** How often the node had been started. A node that comes back may have forgotten how much is committed. */
  readonly life: number;
  readonly txId: TxId;
  readonly status: TxStatus;
  readonly atMs: number;
}

const IS_FINAL: Readonly<Record<TxStatus, boolean>> = {
  unknown: false,
  pending: false,
  committed: true,
  invalid: true,
};

/**
 * The status of a transaction never goes back (consensus spec §4): final is final for every node and for all time, and within
 * one life of a node `committed` and `invalid` do not become open again. `pending` may become `unknown`: the entry was rolled back, and
 * nothing is decided until something else is committed in its place.
 * @param answers - in the order in which they were given.
 * @throws {ViolationError} `status-went-back`
 */
export function checkStatuses(answers: readonly StatusAnswer[]): void {
  const final = new Map<string, StatusAnswer>();
  const ofLife = new Map<string, StatusAnswer>();
  for (const answer of answers) {
    const txId = formatTxId(answer.txId);
    const life = `${answer.node} ${answer.life} ${txId}`;
    const before = IS_FINAL[answer.status] ? final.get(txId) : ofLife.get(life);
    if (before !== undefined && before.status !== answer.status) {
      throw new ViolationError(
        "status-went-back",
        `${txId} was ${before.status} at ${before.atMs} ms and ${answer.status} at ${answer.atMs} ms`,
      );
    }
    if (!IS_FINAL[answer.status]) continue;
    final.set(txId, before ?? answer);
    ofLife.set(life, answer);
  }
}

/**
 * Transaction ids follow real time: a transaction that was invoked after another one had been answered has the later id.
 * @param txIdOf - the id of the transaction that the operation executed; undefined where it does not tell.
 * @throws {ViolationError} `tx-id-went-back`
 */
export function checkTxOrder<Input, Output>(
  operations: readonly Operation<Input, Output>[],
  txIdOf: (operation: Operation<Input, Output>) => TxId | undefined,
): void {
  const told = operations.flatMap((operation) => {
    const txId = operation.outcome.type === "ok" ? txIdOf(operation) : undefined;
    return txId === undefined ? [] : [{ operation, txId }];
  });
  const invoked = [...told].sort((a, b) => a.operation.invokedAt - b.operation.invokedAt);
  const returned = [...told].sort((a, b) => a.operation.returnedAt - b.operation.returnedAt);
  let highest: (typeof told)[number] | undefined;
  let next = 0;
  for (const later of invoked) {
    for (; (returned[next]?.operation.returnedAt ?? Number.POSITIVE_INFINITY) < later.operation.invokedAt; next++) {
      const earlier = returned[next];
      if (earlier !== undefined && !(earlier.txId.seqno <= (highest?.txId.seqno ?? 0))) highest = earlier;
    }
    if (highest === undefined) continue;
    if (later.txId.seqno < highest.txId.seqno || later.txId.view < highest.txId.view) {
      const [a, b] = [highest, later].map(
        ({ operation, txId }) => `${formatTxId(txId)} of operation ${operation.id} (${describe(operation)})`,
      );
      throw new ViolationError("tx-id-went-back", `${a} was answered before ${b} was asked for`);
    }
  }
}

function describe({ invokedMs, returnedMs }: Operation<unknown, unknown>): string {
  return `${invokedMs} to ${returnedMs} ms`;
}
