/** What the bank's customers do, and what they may expect. */
import type { Reader } from "@sealane/kv";
import { type Operation, Refused, type Subject, type Workload } from "@sealane/sim";
import { balanceOf, balances, OPENING_BALANCE } from "../src/bank.js";

export interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
}

const NAMES = ["ada", "grace", "edsger", "barbara"];

/** Everybody sends small sums to everybody. */
export function transfers(): Workload<Transfer, "made"> {
  return {
    next(random) {
      const from = random.pick(NAMES);
      return { from, to: random.pick(NAMES.filter((name) => name !== from)), amount: 1 + random.upTo(20) };
    },
    *run(transfer, operation) {
      const { status } = yield { method: "PUT", path: `/transfers/t${operation}`, body: transfer };
      if (status !== 200) throw new Refused("not enough money");
      return "made";
    },
  };
}

/** In every committed state, money is neither made nor lost. */
export function nothingIsMadeOrLost(committed: Reader): void {
  let surplus = 0;
  for (const balance of balances(committed).values()) surplus += balance - OPENING_BALANCE;
  if (surplus !== 0) throw new Error(`${surplus} more than there ever was`);
}

/** In the end, everybody has what the transfers add up to that were answered, give or take those that were not. */
export function everyTransferCountsOnce(committed: Reader, operations: readonly Operation<Transfer, "made">[]): void {
  for (const name of NAMES) {
    let [least, most] = [OPENING_BALANCE, OPENING_BALANCE];
    for (const { input, outcome } of operations) {
      if (outcome.type === "failed") continue;
      const change = (input.to === name ? input.amount : 0) - (input.from === name ? input.amount : 0);
      if (outcome.type === "ok" || change < 0) least += change;
      if (outcome.type === "ok" || change > 0) most += change;
    }
    const balance = balanceOf(committed, name);
    if (balance < least || balance > most) {
      throw new Error(`${name} has ${balance}, and should have ${least === most ? least : `${least} to ${most}`}`);
    }
  }
}

export const expectations = {
  workload: transfers,
  invariant: nothingIsMadeOrLost,
  judge: everyTransferCountsOnce,
} satisfies Omit<Subject<Transfer, "made">, "app">;
