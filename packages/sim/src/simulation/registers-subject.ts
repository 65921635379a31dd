/** The subject of the project's own simulations: registers whose every answer is checked. */
import { requireLinearizable } from "../history/linearizability.js";
import { checkTxOrder } from "../history/transactions.js";
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
      requireLinearizable(
        registerModel,
        certain.filter(({ input }) => input.type !== "get" || input.level === "latest"),
      );
    },
  };
}
