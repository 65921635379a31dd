/**
 * A small bank: accounts, and transfers between them. A client that is not told whether its transfer was made sends it again, as every client
 * in the world does; so the bank remembers which transfers it has made, and makes each once.
 */
import { map, type Reader, type Transaction, u64, utf8Text } from "@sealane/kv";
import { defineApp, RequestError } from "@sealane/node";
import { z } from "zod";

/** What everybody has who has never been seen before. */
export const OPENING_BALANCE = 100;

const Transfer = z.strictObject({ from: z.string().min(1), to: z.string().min(1), amount: z.int().min(1).max(1_000) });
type Transfer = z.infer<typeof Transfer>;

const accounts = map("accounts", { key: utf8Text, value: u64 });
/** Transfer to its amount. */
const made = map("transfers", { key: utf8Text, value: u64 });

export const bankApp = defineApp({
  name: "bank",
  reads: {
    "GET /accounts/:name": (reader, { params }) => ({ body: { balance: balanceOf(reader, params.name ?? "") } }),
  },
  writes: {
    /** The client names the transfer. */
    "PUT /transfers/:id": {
      body: Transfer,
      handler(tx, { params, body }) {
        const { id = "" } = params;
        if (!tx.map(made).has(id)) {
          move(tx, body);
          tx.map(made).put(id, body.amount); // in the same transaction: both happen, or neither
        }
        return { body: { from: balanceOf(tx, body.from), to: balanceOf(tx, body.to) } };
      },
    },
  },
});

/** The same bank by somebody who has not thought of clients that ask twice. */
export const forgetfulBankApp = defineApp({
  name: "bank",
  reads: {
    "GET /accounts/:name": (reader, { params }) => ({ body: { balance: balanceOf(reader, params.name ?? "") } }),
  },
  writes: {
    "PUT /transfers/:id": {
      body: Transfer,
      handler(tx, { body }) {
        move(tx, body);
        return { body: { from: balanceOf(tx, body.from), to: balanceOf(tx, body.to) } };
      },
    },
  },
});

function move(tx: Transaction, { from, to, amount }: Transfer): void {
  const left = balanceOf(tx, from) - amount;
  if (left < 0) throw new RequestError("conflict", `${from} has less than ${amount}.`);
  if (from === to) return;
  tx.map(accounts).put(from, left);
  tx.map(accounts).put(to, balanceOf(tx, to) + amount);
}

/** A name's balance; of a transaction, with what it has changed. */
export function balanceOf(state: Pick<Reader, "map"> | Transaction, name: string): number {
  return state.map(accounts).get(name) ?? OPENING_BALANCE;
}

/** All names that have been seen, with their balances. */
export function balances(committed: Reader): ReadonlyMap<string, number> {
  return new Map(committed.map(accounts).entries());
}
