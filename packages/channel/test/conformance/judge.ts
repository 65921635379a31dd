/** Replays every case on both sides and holds the differences against what is declared. */
import { AS_RECORDED, DECLARED, type Declaration, UNBUILDABLE } from "./declared.js";
import { type Difference, type Replayed, replay } from "./replay.js";
import type { Case, SideName, Vectors } from "./vectors.js";

export const CASES_EXPECTED = 38;
const SIDES: readonly SideName[] = ["A", "B"];

export interface SideVerdict {
  readonly side: SideName;
  /** Undefined where this side cannot be replayed, as declared. */
  readonly replayed: Replayed | undefined;
  /** Why ours differs on purpose here; undefined where it does not. */
  readonly why: string | undefined;
  readonly differs: readonly string[];
  /** Facts found and not declared, or declared and not found. None: as declared. */
  readonly undeclared: readonly string[];
}

export interface CaseVerdict {
  readonly name: string;
  readonly category: Case["category"];
  readonly sides: readonly SideVerdict[];
}

export interface Judgement {
  readonly cases: readonly CaseVerdict[];
  /** What is wrong, one sentence each. None: everything is as declared. */
  readonly faults: readonly string[];
}

export function judge(vectors: Vectors): Judgement {
  const cases = vectors.cases.map((recorded) => judgeCase(vectors, recorded));
  const faults = [
    ...cases.flatMap(({ name, sides }) =>
      sides.flatMap(({ side, undeclared }) => undeclared.map((fact) => `${name}, side ${side}, ${fact}`)),
    ),
    ...unnamed(cases),
  ];
  if (cases.length !== CASES_EXPECTED) faults.push(`there are ${cases.length} cases, not ${CASES_EXPECTED}`);
  return { cases, faults };
}

function judgeCase(vectors: Vectors, recorded: Case): CaseVerdict {
  const { name, category } = recorded;
  return { name, category, sides: SIDES.map((side) => judgeSide(vectors, recorded, side)) };
}

function judgeSide(vectors: Vectors, recorded: Case, side: SideName): SideVerdict {
  const unbuildable = UNBUILDABLE[recorded.name];
  if (unbuildable?.side === side) {
    const refusal = refusalOf(() => replay(vectors, recorded, side));
    const undeclared = refusal === unbuildable.refusal ? [] : [`the channel is ${refusal ?? "made"}`];
    return { side, replayed: undefined, why: unbuildable.why, differs: [unbuildable.refusal], undeclared };
  }
  const declaration = DECLARED[recorded.name]?.find((declared) => declared.side === side);
  const replayed = replay(vectors, recorded, side, declaration);
  const truncations = missingTruncations(recorded, side, replayed);
  return {
    side,
    replayed,
    why: declaration?.why,
    differs: declaration?.differs ?? [],
    undeclared: [...undeclaredOf(replayed.differences, declaration), ...truncations],
  };
}

function refusalOf(make: () => unknown): string | undefined {
  try {
    make();
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function undeclaredOf(found: readonly Difference[], declaration: Declaration | undefined): readonly string[] {
  const facts = found.map(({ event, what }) => `${event}: ${what}`);
  const declared = declaration?.differs ?? [];
  if (facts.length === declared.length && facts.every((fact, at) => fact === declared[at])) return [];
  return [`found [${facts.join("; ")}], declared [${declared.join("; ")}]`];
}

/** The recording says how many prefixes of a message were refused; the side that takes that message has to refuse as many. */
function missingTruncations({ name, observed }: Case, side: SideName, { prefixes }: Replayed): readonly string[] {
  const taker = name === "reject_init" ? "B" : "A";
  const tried = observed?.truncations_tried;
  return tried === undefined || side !== taker || prefixes === tried
    ? []
    : [`${prefixes} prefixes tried, not ${tried}`];
}

/** Every weakness and leniency has to be named: as closed, or as one that the bytes leave open. */
function unnamed(cases: readonly CaseVerdict[]): readonly string[] {
  const known = new Set(cases.map(({ name }) => name));
  const gone = [...Object.keys(DECLARED), ...Object.keys(UNBUILDABLE), ...Object.keys(AS_RECORDED)].filter(
    (name) => !known.has(name),
  );
  const open = cases.filter(
    ({ name, category, sides }) =>
      (category === "weakness" || category === "lenient") &&
      sides.some(({ why }) => why !== undefined) === name in AS_RECORDED,
  );
  return [
    ...gone.map((name) => `${name} is declared, but there is no such case`),
    ...open.map(({ name }) => `${name} has to be declared either as stricter or as recorded`),
  ];
}
