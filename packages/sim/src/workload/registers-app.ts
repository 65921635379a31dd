/**
 * An application to be tested with: registers, and a record of all that was ever done to them. It keeps under each version of a register
 * what it held, and for each operation how often it was applied, so that the final state by itself convicts a wrong history.
 */
import { json, map, type Reader, type Transaction, u64, utf8Text } from "@sealane/kv";
import { defineApp, type EndpointRequest } from "@sealane/node/core";
import { parseTxId, type TxId } from "@sealane/wire";
import type { Operation } from "../history/history.js";
import { ViolationError } from "../violation.js";
import { type Register, type RegisterInput, type RegisterOutput, writes } from "./registers.js";
import { Refused, type Reply, type Script, type Workload } from "./workload.js";

const HTTP_OK = 200;

const registers = map("registers", {
  key: utf8Text,
  value: json((value) => value as Register), // only what stands below is ever written
});
/** Version of registers that were emptied: their records are gone. */
const emptied = map("registers.emptied", { key: utf8Text, value: u64 });
/** `key/version` to the value; to whom emptied it, after a hyphen, where that was a deletion. */
const versions = map("registers.versions", { key: utf8Text, value: utf8Text });
/** Operation to how often it was applied. */
const applied = map("registers.applied", { key: u64, value: u64 });

/** Parameters stand in the address: requests have no body. */
export const registersApp = defineApp({
  name: "registers",
  reads: {
    "GET /registers/:key": (reader, { params }) => {
      const { value, version } = registerIn(reader, params.key ?? "");
      return { body: { found: value, version } };
    },
  },
  writes: {
    /** Sees everything before it, and writes nothing: answered once what it saw is committed. */
    "POST /registers/:key/look": { handler: (tx, request) => change(tx, request, () => false) },
    "PUT /registers/:key": { handler: (tx, request) => change(tx, request, () => true) },
    "DELETE /registers/:key": { handler: (tx, request) => change(tx, request, ({ value }) => value !== null) },
    /** Without `expected`: only if the register is empty. */
    "PATCH /registers/:key": {
      handler: (tx, request) => change(tx, request, ({ value }) => value === (request.query.expected ?? null)),
    },
  },
});

function registerIn(reader: Pick<Reader, "map">, key: string): Register {
  return reader.map(registers).get(key) ?? { value: null, version: reader.map(emptied).get(key) ?? 0 };
}

function change(tx: Transaction, request: EndpointRequest<unknown>, isWanted: (found: Register) => boolean) {
  const { key = "" } = request.params;
  const { value, operation } = request.query;
  const found = registerIn(tx, key);
  if (!isWanted(found)) return { body: { found: found.value, version: found.version } };
  const version = found.version + 1;
  if (value === undefined) {
    tx.map(registers).delete(key);
    tx.map(emptied).put(key, version);
  } else {
    tx.map(registers).put(key, { value, version });
    tx.map(emptied).delete(key);
  }
  tx.map(versions).put(`${key}/${version}`, value ?? markOf(Number(operation)));
  const id = Number(operation);
  tx.map(applied).put(id, (tx.map(applied).get(id) ?? 0) + 1);
  return { body: { found: found.value, version } };
}

/** Of a deletion, among the values of versions. */
function markOf(operation: number): string {
  return `-${operation}`;
}

/** What a register held as a version of it. */
function heldAs(committed: Reader, key: string, version: number): string | null {
  const text = committed.map(versions).get(`${key}/${version}`) ?? null;
  return text?.startsWith("-") === true ? null : text;
}

/** An operation and its number, by which the application recognises it. */
export interface RegistersOptions {
  /** Registers in use at a time. Default 4. */
  readonly keys?: number;
  /** Operations on each before it gives way to a fresh one, so that its history stays short enough to be searched. Default 60. */
  readonly operationsPerKey?: number;
}

/** Puts, conditional puts, deletions and reads of both levels, on a few registers at a time. */
export function registersWorkload({
  keys = 4,
  operationsPerKey = 60,
}: RegistersOptions = {}): Workload<RegisterInput, RegisterOutput> {
  let asked = 0;
  const lastWritten = new Map<string, string>();
  return {
    next(random): RegisterInput {
      const generation = Math.floor(asked / (keys * operationsPerKey));
      const key = `k${generation}.${random.below(keys)}`;
      const value = `v${asked++}`;
      const dice = random.float();
      if (dice < 0.25) return { type: "get", key, level: "committed" };
      if (dice < 0.45) return { type: "get", key, level: "latest" };
      if (dice < 0.52) return { type: "delete", key };
      const expected = lastWritten.get(key) ?? null;
      lastWritten.set(key, value);
      return dice < 0.78 ? { type: "put", key, value } : { type: "put-if", key, expected, value };
    },
    *run(input, operation): Script<RegisterOutput> {
      return outputOf(yield callOf(input, operation));
    },
  };
}

function callOf(input: RegisterInput, operation: number) {
  const path = `/registers/${input.key}`;
  switch (input.type) {
    case "get":
      if (input.level === "committed") return { method: "GET", path: `${path}?consistency=serializable` };
      return operation % 2 === 0 ? { method: "GET", path } : { method: "POST", path: `${path}/look` };
    case "put":
      return { method: "PUT", path: `${path}?value=${input.value}&operation=${operation}` };
    case "delete":
      return { method: "DELETE", path: `${path}?operation=${operation}` };
    case "put-if": {
      const expected = input.expected === null ? "" : `&expected=${input.expected}`;
      return { method: "PATCH", path: `${path}?value=${input.value}&operation=${operation}${expected}` };
    }
    default:
      return input satisfies never;
  }
}

function outputOf({ status, body: { found, version, txId } }: Reply): RegisterOutput {
  if (status !== HTTP_OK) throw new Refused(`status ${status}`);
  if ((typeof found !== "string" && found !== null) || typeof version !== "number") {
    throw new ViolationError("wrong-state", `an answer without a register: ${JSON.stringify({ found, version })}`);
  }
  return { found, version, txId: typeof txId === "string" ? parseTxId(txId) : undefined };
}

type RegisterOperation = Operation<RegisterInput, RegisterOutput>;

/** The transaction an operation executed, for `checkTxOrder`; a read of committed state executes none. */
export function registerTxId({ input, outcome }: RegisterOperation): TxId | undefined {
  const executed = input.type !== "get" || input.level === "latest";
  return executed && outcome.type === "ok" ? outcome.output.txId : undefined;
}

/**
 * Compares what clients were told with what the service has in the end: no acknowledged write is lost, none is applied twice, none that
 * was refused is applied, and what reads found was once committed.
 * @throws {ViolationError} `acknowledged-lost`, `applied-twice`, `applied-though-refused`, `wrong-state`
 */
export function checkRegisters(committed: Reader, operations: readonly RegisterOperation[]): void {
  const invokedAt = invocations(operations);
  for (const { id, input, outcome, returnedAt } of operations) {
    const times = committed.map(applied).get(id) ?? 0;
    const what = `operation ${id}, ${JSON.stringify(input)}`;
    if (times > 1) throw new ViolationError("applied-twice", `${what}, was applied ${times} times`);
    const isWritten = outcome.type === "ok" && writes(input, outcome.output);
    if (isWritten && times === 0)
      throw new ViolationError("acknowledged-lost", `${what}, was acknowledged and is gone`);
    if (outcome.type !== "unknown" && !isWritten && times > 0) {
      throw new ViolationError("applied-though-refused", `${what}, was said to change nothing and was applied`);
    }
    if (outcome.type !== "ok" || input.type !== "get") continue;
    const { found, version } = outcome.output;
    const held = heldAs(committed, input.key, version);
    if (held !== found) {
      throw new ViolationError("wrong-state", `${what}, found ${found} as version ${version}, which was ${held}`);
    }
    const text = committed.map(versions).get(`${input.key}/${version}`);
    if (text !== undefined && (invokedAt.get(`${input.key}/${text}`) ?? 0) > returnedAt) {
      throw new ViolationError("wrong-state", `${what}, found version ${version} before anyone asked for it`);
    }
  }
}

/** When what is in `versions` was asked for, by `key/value`. */
function invocations(operations: readonly RegisterOperation[]): ReadonlyMap<string, number> {
  const made = operations.flatMap(({ id, input, invokedAt }) =>
    input.type === "get" ? [] : [[`${input.key}/${madeText(input, id)}`, invokedAt] as const],
  );
  return new Map(made);
}

/** What stands in `versions` for an operation that wrote. */
function madeText(input: RegisterInput, operation: number): string {
  return input.type === "put" || input.type === "put-if" ? input.value : markOf(operation);
}

/**
 * The operations with what the final state says about those whose client was not told: they were never applied, or made a version, whenever
 * that was. It leaves the search for an order next to nothing to guess.
 */
export function resolved(committed: Reader, operations: readonly RegisterOperation[]): readonly RegisterOperation[] {
  const madeBy = new Map<string, number>();
  for (const [name, value] of committed.map(versions).entries()) {
    const slash = name.lastIndexOf("/");
    madeBy.set(`${name.slice(0, slash)}/${value}`, Number(name.slice(slash + 1)));
  }
  return operations.map((operation): RegisterOperation => {
    const { input, outcome } = operation;
    if (outcome.type !== "unknown") return operation;
    const version = madeBy.get(`${input.key}/${madeText(input, operation.id)}`);
    if (version === undefined) return { ...operation, outcome: { type: "failed" } };
    const found = heldAs(committed, input.key, version - 1);
    return { ...operation, outcome: { type: "ok", output: { found, version, txId: undefined } } };
  });
}
