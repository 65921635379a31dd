/**
 * Shamir's secret sharing as CCF has it (ledger spec §11.2): a secret of ten elements of the field of order 2³¹ − 1, each the constant term of a
 * random polynomial of its own. Any `threshold` shares give the secret, fewer say nothing of it.
 *
 * Written here because the field, the count of elements and the layout are that ledger format's; libraries share bytes over GF(2⁸). BigInt
 * arithmetic is not constant in time: it runs where the secrets are, and nobody can ask for it again and again.
 */
import type { CryptoSuite } from "@sealane/crypto";
import { LedgerError } from "../errors.js";

const PRIME = 2n ** 31n - 1n;
/** Field elements of one secret: 310 bits, of which a key of 256 is made. */
const ELEMENTS = 10;
const ELEMENT_BYTES = 4;
/** The secret itself, and what the wrapping key is derived from. */
export const SECRET_BYTES = ELEMENTS * ELEMENT_BYTES;
/** u32 x ‖ 10 × u32 y. */
export const SHARE_BYTES = ELEMENT_BYTES + SECRET_BYTES;
/** Shares of one secret: as many as a service has members. */
export const SHARES_MAX = 1_024;

/** @returns 40 bytes: ten u32, little-endian, each uniform in the field. */
export function newSecret(suite: CryptoSuite): Uint8Array {
  return packed(Array.from({ length: ELEMENTS }, () => randomElement(suite)));
}

/**
 * @param secret - 40 bytes of `newSecret`.
 * @returns `count` shares of 44 bytes, with x from 1 on.
 * @throws {RangeError} unless 1 <= threshold <= count <= `SHARES_MAX`.
 */
export function splitSecret(suite: CryptoSuite, secret: Uint8Array, threshold: number, count: number): Uint8Array[] {
  if (!(Number.isInteger(threshold) && Number.isInteger(count) && threshold >= 1 && threshold <= count))
    throw new RangeError(`${threshold} of ${count} shares cannot be asked for`);
  if (count > SHARES_MAX) throw new RangeError(`a secret has at most ${SHARES_MAX} shares`);
  const polynomials = unpacked(secret).map((constant) => [
    constant,
    ...Array.from({ length: threshold - 1 }, () => randomElement(suite)),
  ]);
  return Array.from({ length: count }, (_, index) => {
    const x = BigInt(index + 1);
    return packed([x, ...polynomials.map((coefficients) => valueAt(coefficients, x))]);
  });
}

/**
 * The secret of shares of one splitting. With fewer than its threshold, or another's among them, it is another secret, and nothing tells: what
 * was encrypted with it does.
 * @param shares - 44 bytes each, none twice. A share with x = 0 is the secret itself.
 * @throws {LedgerError} `bad-share` for one that none could be, and for the same x twice.
 */
export function combineShares(shares: readonly Uint8Array[]): Uint8Array {
  const points = shares.map((share) => {
    const [x, ...ys] = share.length === SHARE_BYTES ? unpacked(share) : [];
    if (x === undefined || [x, ...ys].some((element) => element >= PRIME))
      throw new LedgerError("bad-share", `a share has ${SHARE_BYTES} bytes, all of them field elements`);
    return { x, ys };
  });
  if (points.length === 0 || points.length > SHARES_MAX)
    throw new LedgerError("bad-share", `1 to ${SHARES_MAX} shares are combined, not ${points.length}`);
  if (new Set(points.map(({ x }) => x)).size < points.length)
    throw new LedgerError("bad-share", "the same share was given twice");
  const whole = points.find(({ x }) => x === 0n);
  if (whole !== undefined) return packed(whole.ys);
  // Lagrange at 0: the sum of y_i times the product of x_j / (x_j - x_i).
  const weights = points.map(({ x }) =>
    points.reduce((product, other) => {
      return other.x === x ? product : mod(product * other.x * inverse(mod(other.x - x)));
    }, 1n),
  );
  return packed(
    Array.from({ length: ELEMENTS }, (_, element) =>
      points.reduce((sum, { ys }, index) => mod(sum + (ys[element] ?? 0n) * (weights[index] ?? 0n)), 0n),
    ),
  );
}

function valueAt(coefficients: readonly bigint[], x: bigint): bigint {
  return coefficients.reduceRight((value, coefficient) => mod(value * x + coefficient), 0n);
}

function mod(value: bigint): bigint {
  const rest = value % PRIME;
  return rest < 0n ? rest + PRIME : rest;
}

/** Fermat: a^(p−2). @param value - Not 0. */
function inverse(value: bigint): bigint {
  let [result, base] = [1n, value];
  for (let exponent = PRIME - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = mod(result * base);
    base = mod(base * base);
  }
  return result;
}

/** Uniform: of 31 random bits only the value that is the prime itself is drawn again. */
function randomElement(suite: CryptoSuite): bigint {
  for (;;) {
    const [value = 0n] = unpacked(suite.randomBytes(ELEMENT_BYTES));
    const element = value & PRIME;
    if (element < PRIME) return element;
  }
}

function packed(elements: readonly bigint[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(elements.length * ELEMENT_BYTES));
  for (const [index, element] of elements.entries()) bytes.setUint32(index * ELEMENT_BYTES, Number(element), true);
  return new Uint8Array(bytes.buffer);
}

function unpacked(bytes: Uint8Array): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / ELEMENT_BYTES) }, (_, index) =>
    BigInt(view.getUint32(index * ELEMENT_BYTES, true)),
  );
}
