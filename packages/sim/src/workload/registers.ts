/**
 * The operations that the simulation asks of `registersApp`, and what they mean: a register for each key, with a version that counts
 * its writes. Every write is told the version it made, so that one that was lost, or applied twice, shows in the next answer.
 */
import type { TxId } from "@sealane/wire";
import type { Model } from "../history/linearizability.js";

export type RegisterInput =
  | { readonly type: "put"; readonly key: string; readonly value: string }
  /** Writes `value` if the register holds `expected`; null: if it holds nothing. */
  | { readonly type: "put-if"; readonly key: string; readonly expected: string | null; readonly value: string }
  /** Empties the register, if it holds anything. */
  | { readonly type: "delete"; readonly key: string }
  | { readonly type: "get"; readonly key: string; readonly level: ReadLevel };

/**
 * How much a read promises. `committed`: a state that was committed at some time, at the node asked. `latest`: everything that was
 * committed before it was asked; it is linearizable.
 */
export type ReadLevel = "committed" | "latest";

export interface RegisterOutput {
  /** What the register held before the operation; null: nothing. */
  readonly found: string | null;
  /** How often the register has been written, this operation included. */
  readonly version: number;
  readonly txId: TxId | undefined;
}

export interface Register {
  readonly value: string | null;
  readonly version: number;
}

/** Reads of level `committed` are not part of it: `checkCommittedReads` judges those. */
export const registerModel: Model<Register, RegisterInput, RegisterOutput> = {
  initial: { value: null, version: 0 },
  step(state, input, output) {
    if (output !== undefined && output.found !== state.value) return undefined;
    const after = afterwards(state, input);
    return output === undefined || output.version === after.version ? after : undefined;
  },
  textOf: ({ value, version }) => `${version} ${value}`,
  keyOf: ({ key }) => key,
};

function afterwards(state: Register, input: RegisterInput): Register {
  if (!writes(input, { found: state.value })) return state;
  return { value: valueAfter(input), version: state.version + 1 };
}

/** Whether an operation changes what it is about, given what it found. */
export function writes(input: RegisterInput, { found }: Pick<RegisterOutput, "found">): boolean {
  switch (input.type) {
    case "put":
      return true;
    case "put-if":
      return input.expected === found;
    case "delete":
      return found !== null;
    case "get":
      return false;
    default:
      return input satisfies never;
  }
}

/** What a register holds after an operation that changed it. */
function valueAfter(input: RegisterInput): string | null {
  return input.type === "put" || input.type === "put-if" ? input.value : null;
}
