/** The subject of the project's own simulations: registers whose every answer is checked. */
import type { Operation } from "../history/history.js";
import { checkLinearizable } from "../history/linearizability.js";
import { checkTxOrder } from "../history/transactions.js";
import { ViolationError } from "../violation.js";
import { type RegisterInput, type RegisterOutput, registerModel } from "../workload/registers.js";
import {
  checkRegisters,
  type RegistersOptions,
  registersApp,
  registersWorkload,
  registerTxId,
  resolved,
} from "../workload/registers-app.js";
import type { Subject } from "./simulate.js";

export function registersSubject(options?: RegistersOptions): Subject<RegisterInput, RegisterOutput> {
  return {
    app: registersApp,
    workload: () => registersWorkload(options),
    judge: (committed, operations) => {
      checkRegisters(committed, operations);
      checkTxOrder(operations, registerTxId);
      // What a node read from its committed state may be old, and `checkRegisters` has seen that it is nothing worse.
      const certain = resolved(committed, operations);
      requireLinearizable(certain.filter(({ input }) => input.type !== "get" || input.level === "latest"));
    },
  };
}

function requireLinearizable(operations: readonly Operation<RegisterInput, RegisterOutput>[]): void {
  const verdict = checkLinearizable(registerModel, operations);
  if (verdict.type === "linearizable") return;
  if (verdict.type === "undecided") {
    throw new ViolationError("undecided", `the operations on ${verdict.key}, after ${verdict.steps} steps`);
  }
  const lines = verdict.operations.map(
    ({ id, client, input, outcome, invokedMs, returnedMs }) =>
      `  ${id} by ${client}, ${invokedMs} to ${returnedMs} ms: ${JSON.stringify(input)} ${JSON.stringify(outcome)}`,
  );
  const explained = verdict.longest.length;
  throw new ViolationError(
    "not-linearizable",
    `no order explains the answers of ${verdict.key}, at most ${explained} of them:\n${lines.join("\n")}`,
  );
}
