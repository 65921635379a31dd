/** JSON in one form only: no white space, object keys in ascending order (ledger spec §3.4). */
import { KvError } from "./errors.js";
import { JSON_DEPTH_MAX } from "./limits.js";

/**
 * The text of a value: what `JSON.stringify` writes, with the keys of every object ascending by UTF-16 unit and nothing dropped.
 * @param value - null, a boolean, a finite number, a string, an array or a plain object of these; an object's undefined properties
 *   are left out.
 * @throws {KvError} `malformed` for anything else, and for nesting beyond `JSON_DEPTH_MAX`.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  if (depth > JSON_DEPTH_MAX) throw new KvError("malformed", `JSON nests at most ${JSON_DEPTH_MAX} deep`);
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value))
    return `[${Array.from<unknown, string>(value, (item) => write(item, depth + 1)).join(",")}]`;
  if (typeof value === "object" && isPlain(value)) {
    const properties: [string, unknown][] = Object.entries(value);
    const members = properties
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${JSON.stringify(name)}:${write(member, depth + 1)}`);
    return `{${members.join(",")}}`;
  }
  throw new KvError("malformed", `JSON has no ${typeof value === "object" ? "such object" : typeof value}`);
}

/** A class instance is refused: its JSON would not be what is read back. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
