/** Where two JSON values differ. */

export interface Comparison {
  /** Values compared: texts, numbers, booleans and nulls. */
  readonly values: number;
  /** One line for each place where they are not the same. */
  readonly differences: readonly string[];
}

/** Members that only one of the two has are differences as well. */
export function compareJson(path: string, expected: unknown, found: unknown): Comparison {
  if (Array.isArray(expected) && Array.isArray(found)) {
    const length = Math.max(expected.length, found.length);
    const indexes = Array.from({ length }, (_, index) => index);
    return sum(indexes.map((index) => compareJson(`${path}[${index}]`, expected[index], found[index])));
  }
  if (isObject(expected) && isObject(found)) {
    const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
    return sum(names.map((name) => compareJson(`${path}.${name}`, expected[name], found[name])));
  }
  if (expected === found) return { values: 1, differences: [] };
  return { values: 1, differences: [`${path}: expected ${short(expected)}, found ${short(found)}`] };
}

export function sum(comparisons: readonly Comparison[]): Comparison {
  return {
    values: comparisons.reduce((total, { values }) => total + values, 0),
    differences: comparisons.flatMap(({ differences }) => differences),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function short(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
