/**
 * What the attacker knows: everything that was ever sent, taken apart as far as the known keys go (analysis), and all that can be put
 * together from it (synthesis). Perfect cryptography: a hash is not inverted, a signature not forged, an unknown key not guessed.
 */
import { type Term, three, twinOf } from "./term.js";

export class Knowledge {
  /** Invariant: closed under analysis with everything derivable. */
  readonly #known: ReadonlySet<Term>;
  /** The points among them: g to unknown exponents can be raised further. */
  readonly #points: readonly Term[];
  /** Tagged and perhaps encrypted: opened when the key becomes known. */
  readonly #sealed: readonly Term[];
  readonly #derivable = new Map<Term, boolean>();

  private constructor(known: ReadonlySet<Term>) {
    this.#known = known;
    this.#points = [...known].filter(({ made }) => made === "exp");
    this.#sealed = [...known].filter(({ made }) => made === "aead");
  }

  static of(terms: readonly Term[]): Knowledge {
    return new Knowledge(new Set()).with(terms);
  }

  /** Every sealed record that was sent or can be taken out of what was. */
  get sealed(): readonly Term[] {
    return this.#sealed;
  }

  /** This knowledge and more. */
  with(terms: readonly Term[]): Knowledge {
    if (terms.every((term) => this.#known.has(term))) return this;
    let known = new Set(this.#known);
    for (const term of terms) analyse(term, known);
    // A new key may open what was sealed before, and what is inside may be a key.
    for (;;) {
      const knowledge = new Knowledge(known);
      const opened = knowledge.#sealed.flatMap((record) => {
        const [key, , , plaintext] = record.parts;
        const opens = key !== undefined && plaintext !== undefined && !known.has(plaintext) && knowledge.has(key);
        return opens ? [plaintext] : [];
      });
      if (opened.length === 0) return knowledge;
      known = new Set(known);
      for (const plaintext of opened) analyse(plaintext, known);
    }
  }

  /** Whether a signature was sent by someone, in this form or as its twin: the attacker did not need the key. */
  hasSeen(signature: Term): boolean {
    return this.#known.has(signature) || (signature.made === "sign" && this.#known.has(twinOf(signature)));
  }

  /** Whether the attacker can make this term. */
  has(term: Term): boolean {
    if (this.#known.has(term)) return true;
    const before = this.#derivable.get(term);
    if (before !== undefined) return before;
    const result = this.#canMake(term);
    this.#derivable.set(term, result);
    return result;
  }

  #canMake(term: Term): boolean {
    switch (term.made) {
      case "name":
        return false;
      case "sign": {
        const [privateKey, message] = three(term);
        return (this.has(privateKey) && this.has(message)) || this.#known.has(twinOf(term));
      }
      case "exp":
        return this.#canReach(term);
      default:
        return term.parts.every((part) => this.has(part));
    }
  }

  /** From g or a known point, with known exponents: the computational Diffie–Hellman assumption as a rule. */
  #canReach({ parts }: Term): boolean {
    if (parts.every((exponent) => this.has(exponent))) return true;
    return this.#points.some((point) => {
      const missing = without(parts, point.parts);
      return missing?.every((exponent) => this.has(exponent)) === true;
    });
  }
}

/** Adds a term and what falls out of it without any key: the fields of a concatenation. */
function analyse(term: Term, known: Set<Term>): void {
  if (known.has(term)) return;
  known.add(term);
  if (term.made === "tuple" || term.made === "set") for (const part of term.parts) analyse(part, known);
}

/** What is left of `all` when `some` is taken out once; undefined when it is not contained. */
function without(all: readonly Term[], some: readonly Term[]): readonly Term[] | undefined {
  const left = [...all];
  for (const term of some) {
    const index = left.indexOf(term);
    if (index < 0) return undefined;
    left.splice(index, 1);
  }
  return left;
}
