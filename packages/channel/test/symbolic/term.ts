/**
 * Terms: what messages, keys and secrets are in the symbolic model. Two terms are equal if and only if they are the same object, so a set of
 * them is a set of ids. Equations of the real primitives that the model knows are built into the constructors: `exp` keeps its exponents
 * sorted (Diffie–Hellman commutes) and `set` its elements.
 */

/** How a term is made. Public functions, except `name`, which is an atom. */
export type Constructor =
  | "name"
  /** Concatenation of fields with fixed or prefixed lengths: can be taken apart, and only in one way. */
  | "tuple"
  /** An unordered collection: only weakened variants sign one. */
  | "set"
  /** g to the product of its exponents; public keys and key shares alike. No exponents: g itself. */
  | "exp"
  /** X coordinate of a point: what ECDH gives. */
  | "x"
  | "hash"
  /** The first 8 bytes of a hash: a handshake id. */
  | "first8"
  /** HKDF-Extract(salt, ikm). */
  | "extract"
  /** HKDF-Expand(prk, info). */
  | "expand"
  /** (private key, message, twin): ECDSA leaves two values of s valid, and anyone can turn one into the other. */
  | "sign"
  /** (key, counter, aad, plaintext). */
  | "aead";

export interface Term {
  readonly id: number;
  readonly made: Constructor;
  /** Of a name: what it is called. */
  readonly text: string;
  readonly parts: readonly Term[];
}

const interned = new Map<string, Term>();

export const name = (text: string): Term => intern("name", text, []);
export const tuple = (...parts: readonly Term[]): Term => intern("tuple", "", parts);
export const set = (...parts: readonly Term[]): Term => intern("set", "", sorted(parts));
export const hash = (message: Term): Term => intern("hash", "", [message]);
export const first8 = (digest: Term): Term => intern("first8", "", [digest]);
export const extract = (salt: Term, ikm: Term): Term => intern("extract", "", [salt, ikm]);
export const expand = (prk: Term, info: Term): Term => intern("expand", "", [prk, info]);
export const xOf = (point: Term): Term => intern("x", "", [point]);
export const aead = (key: Term, counter: Term, aad: Term, plaintext: Term): Term =>
  intern("aead", "", [key, counter, aad, plaintext]);

/** The empty byte string. */
export const EMPTY = tuple();
const TWINS = [name("low s"), name("high s")] as const;

export const sign = (privateKey: Term, message: Term, twin: 0 | 1 = 0): Term =>
  intern("sign", "", [privateKey, message, TWINS[twin]]);

/** The signature with the other s. */
export function twinOf(signature: Term): Term {
  const [privateKey, message, twin] = three(signature);
  return sign(privateKey, message, twin === TWINS[0] ? 1 : 0);
}

/** g to the product of `exponents`, which are names. */
export const exp = (...exponents: readonly Term[]): Term => intern("exp", "", sorted(exponents));

/** `base` to a further exponent. */
export const raise = (base: Term, exponent: Term): Term => exp(...base.parts, exponent);

/** The parts of a term that has three or more. */
export function three(term: Term): readonly [Term, Term, Term] {
  const [first, second, third] = term.parts;
  if (first === undefined || second === undefined || third === undefined) throw new RangeError("the term is smaller");
  return [first, second, third];
}

/** For people: short enough to read in a trace. */
export function show(term: Term): string {
  const parts = term.parts.map(show);
  switch (term.made) {
    case "name":
      return term.text;
    case "tuple":
      return `(${parts.join(" ‖ ")})`;
    case "set":
      return `{${parts.join(", ")}}`;
    case "exp":
      return parts.length === 0 ? "g" : `g^${parts.join("·")}`;
    default:
      return `${term.made}(${parts.join(", ")})`;
  }
}

function sorted(terms: readonly Term[]): readonly Term[] {
  return terms.toSorted((a, b) => a.id - b.id);
}

function intern(made: Constructor, text: string, parts: readonly Term[]): Term {
  const key = `${made}/${text}/${parts.map(({ id }) => id).join()}`;
  const known = interned.get(key);
  if (known !== undefined) return known;
  const term: Term = { id: interned.size, made, text, parts };
  interned.set(key, term);
  return term;
}
