/** Linearizability by its definition: every order of every choice of operations is tried. Slow, and plain enough to be believed. */
import type { Operation } from "../../src/history/history.js";
import type { Model } from "../../src/history/linearizability.js";

export function isLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
): boolean {
  return existsOrder(
    model,
    model.initial,
    operations.filter(({ outcome }) => outcome.type !== "failed"),
  );
}

function existsOrder<State, Input, Output>(
  model: Model<State, Input, Output>,
  state: State,
  left: readonly Operation<Input, Output>[],
): boolean {
  if (left.every(({ outcome }) => outcome.type === "unknown")) return true; // those need not have happened
  return left.some((next) => {
    const rest = left.filter((each) => each !== next);
    if (rest.some(({ returnedAt }) => returnedAt < next.invokedAt)) return false; // one that was over before `next` began
    const after = model.step(state, next.input, next.outcome.type === "ok" ? next.outcome.output : undefined);
    return after !== undefined && existsOrder(model, after, rest);
  });
}
