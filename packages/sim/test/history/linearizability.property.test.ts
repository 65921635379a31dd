/** The search against the definition: on every small history, and on histories that were made linearizable or spoiled on purpose. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { History, type Operation, type Outcome } from "../../src/history/history.js";
import { checkLinearizable } from "../../src/history/linearizability.js";
import { type RegisterInput, type RegisterOutput, registerModel } from "../../src/workload/registers.js";
import { isLinearizable } from "./brute-force.js";

type RegisterOperation = Operation<RegisterInput, RegisterOutput>;

const input: fc.Arbitrary<RegisterInput> = fc.oneof(
  fc.record({ type: fc.constant("put" as const), key: fc.constant("k"), value: fc.constantFrom("a", "b") }),
  fc.record({
    type: fc.constant("put-if" as const),
    key: fc.constant("k"),
    expected: fc.constantFrom("a", "b", null),
    value: fc.constantFrom("a", "b"),
  }),
  fc.record({ type: fc.constant("delete" as const), key: fc.constant("k") }),
  fc.record({ type: fc.constant("get" as const), key: fc.constant("k"), level: fc.constant("latest" as const) }),
);
const outcome: fc.Arbitrary<Outcome<RegisterOutput>> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("ok" as const),
      output: fc.record({
        found: fc.constantFrom("a", "b", null),
        version: fc.nat(3),
        txId: fc.constant(undefined),
      }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("unknown" as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("failed" as const) }) },
);

/** Any outcomes at all; invocations and returns in any order. */
const anyHistory = fc
  .tuple(
    fc.array(fc.record({ input, outcome }), { maxLength: 5 }),
    fc.array(fc.nat(), { minLength: 10, maxLength: 10 }),
  )
  .map(([steps, choices]) => interleaved(steps, choices));

/** What a register really answers, in some order; then stretched, so that operations overlap. */
const realHistory = fc
  .tuple(
    fc.array(fc.record({ input, unknown: fc.boolean(), lost: fc.boolean() }), { minLength: 1, maxLength: 14 }),
    fc.array(fc.nat({ max: 6 }), { minLength: 28, maxLength: 28 }),
  )
  .map(([steps, stretch]) => {
    let state = registerModel.initial;
    const operations = steps.map(({ input, unknown, lost }, at): RegisterOperation => {
      const found = state.value;
      if (!(unknown && lost)) state = registerModel.step(state, input, undefined) ?? state;
      const output = { found, version: state.version, txId: undefined };
      const [invokedAt, returnedAt] = [
        at * 10 - (stretch[2 * at] ?? 0) * 5,
        at * 10 + (stretch[2 * at + 1] ?? 0) * 5 + 1,
      ];
      return operation(at, input, unknown ? { type: "unknown" } : { type: "ok", output }, invokedAt, returnedAt);
    });
    return operations.sort((a, b) => a.invokedAt - b.invokedAt);
  });

describe("the search for an order", () => {
  it("agrees with the definition on any small history", () => {
    let linearizable = 0;
    fc.assert(
      fc.property(anyHistory, (operations) => {
        const expected = isLinearizable(registerModel, operations);
        linearizable += expected ? 1 : 0;
        expect(checkLinearizable(registerModel, operations).type === "linearizable").toBe(expected);
      }),
      { numRuns: 3_000, seed: 1 },
    );
    expect(linearizable).toBeGreaterThan(300); // both verdicts came up
    expect(linearizable).toBeLessThan(2_700);
  });

  it("agrees with the definition on every history of three operations, one after the other, in a chain, and two within one", () => {
    const inputs: readonly RegisterInput[] = [
      { type: "put", key: "k", value: "a" },
      { type: "put-if", key: "k", expected: "a", value: "b" },
      { type: "get", key: "k", level: "latest" },
    ];
    const outcomes: readonly Outcome<RegisterOutput>[] = [
      { type: "unknown" },
      ...[null, "a", "b"].flatMap((found) =>
        [0, 1, 2].map((version) => ({ type: "ok" as const, output: { found, version, txId: undefined } })),
      ),
    ];
    const steps = inputs.flatMap((each) => outcomes.map((ended) => ({ input: each, outcome: ended })));
    const shapes = [
      [0, 1, 2, 3, 4, 5],
      [0, 3, 1, 4, 2, 5],
      [0, 5, 1, 2, 3, 4],
    ] as const;
    let [checked, linearizable] = [0, 0];
    for (const first of steps) {
      for (const second of steps) {
        for (const third of steps) {
          for (const [a, b, c, d, e, f] of shapes) {
            checked += 1;
            const operations = [
              operation(0, first.input, first.outcome, a, b),
              operation(1, second.input, second.outcome, c, d),
              operation(2, third.input, third.outcome, e, f),
            ];
            const expected = isLinearizable(registerModel, operations);
            linearizable += expected ? 1 : 0;
            if ((checkLinearizable(registerModel, operations).type === "linearizable") === expected) continue;
            expect(operations).toBe(expected ? "linearizable" : "not linearizable");
          }
        }
      }
    }
    expect(checked).toBe(81_000);
    expect(linearizable).toBeGreaterThan(100);
  });

  it("finds an order for whatever a register really answered", () => {
    fc.assert(
      fc.property(realHistory, (operations) => {
        expect(checkLinearizable(registerModel, operations).type).toBe("linearizable");
      }),
      { numRuns: 500, seed: 2 },
    );
  });

  it("agrees with the definition when one answer of a real history is spoiled", () => {
    fc.assert(
      fc.property(realHistory, fc.nat(), (operations, where) => {
        const some = operations.slice(0, 7);
        const spoiled = some.map((each, index) =>
          index === where % some.length && each.outcome.type === "ok"
            ? {
                ...each,
                outcome: {
                  ...each.outcome,
                  output: { ...each.outcome.output, version: each.outcome.output.version + 1 },
                },
              }
            : each,
        );
        const verdict = checkLinearizable(registerModel, spoiled).type;
        expect(verdict === "linearizable").toBe(isLinearizable(registerModel, spoiled));
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  it("says so when it has not decided", () => {
    const history = new History<RegisterInput, RegisterOutput>();
    for (let client = 0; client < 12; client++)
      history.invoke(client, { type: "put", key: "k", value: `${client}` }, 0);
    for (let id = 0; id < 12; id++) {
      history.complete(id, { type: "ok", output: { found: "nobody", version: id, txId: undefined } }, 1);
    }
    expect(checkLinearizable(registerModel, history.operations, { stepsMax: 10 }).type).toBe("undecided");
    expect(checkLinearizable(registerModel, history.operations).type).toBe("not-linearizable");
  });
});

function operation(
  id: number,
  input: RegisterInput,
  outcome: Outcome<RegisterOutput>,
  invokedAt: number,
  returnedAt: number,
): RegisterOperation {
  const end = outcome.type === "unknown" ? Number.POSITIVE_INFINITY : returnedAt;
  return { id, client: id, input, outcome, invokedAt, returnedAt: end, invokedMs: invokedAt, returnedMs: returnedAt };
}

/** Starts and ends the operations in an order that the choices name. */
function interleaved(
  steps: readonly { readonly input: RegisterInput; readonly outcome: Outcome<RegisterOutput> }[],
  choices: readonly number[],
): readonly RegisterOperation[] {
  const history = new History<RegisterInput, RegisterOutput>();
  const waiting = [...steps];
  const running: { id: number; outcome: Outcome<RegisterOutput> }[] = [];
  for (const choice of choices) {
    const at = choice % (running.length + (waiting.length > 0 ? 1 : 0) || 1);
    const ending = running[at];
    if (ending !== undefined) {
      running.splice(at, 1);
      history.complete(ending.id, ending.outcome, 0);
    } else {
      const next = waiting.shift();
      if (next !== undefined) running.push({ id: history.invoke(0, next.input, 0), outcome: next.outcome });
    }
  }
  for (const { id, outcome } of running) history.complete(id, outcome, 0);
  return history.operations;
}
