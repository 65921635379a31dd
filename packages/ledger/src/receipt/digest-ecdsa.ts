/**
 * ECDSA verification (FIPS 186-5 §6.4.2) over a digest that is given, for one case alone: the receipt of a signature transaction, whose
 * path is empty (ledger spec §9.1). Everywhere else the digest is the hash of two children, which Web Crypto and every suite can verify
 * as a message; here there are no children, and no such interface takes a digest as it is.
 *
 * Everything here is public, so nothing needs to be constant in time. Jacobian points on plain `bigint`, some milliseconds. The tests hold it to the suites' verdicts and to the Wycheproof vectors.
 */
import { hex } from "@sealane/wire";
import type { VerifyingKey } from "./receipt-crypto.js";

/** SEC 2 v2 §2.4.2 and §2.5.1; a = −3 on both. */
const CURVES = {
  "P-256": {
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
    y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  },
  "P-384": {
    p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    x: 0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
    y: 0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
  },
} as const;

type CurveNumbers = (typeof CURVES)[keyof typeof CURVES];
/** x / z² and y / z³ are the affine coordinates; z = 0 is the point at infinity. */
interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
}

/**
 * @param digest - At most as long as the curve's order; a longer one would have to be cut.
 * @param signature - Raw r ‖ s.
 */
export function verifyDigest(key: VerifyingKey, digest: Uint8Array, signature: Uint8Array): boolean {
  const { fieldBytes, spki } = key;
  const curve = CURVES[key.curve];
  const { p, n } = curve;
  if (digest.length > fieldBytes || signature.length !== 2 * fieldBytes) return false;
  const r = toNumber(signature.subarray(0, fieldBytes));
  const s = toNumber(signature.subarray(fieldBytes));
  if (r === 0n || r >= n || s === 0n || s >= n) return false;
  const q = { x: toNumber(spki.subarray(-2 * fieldBytes, -fieldBytes)), y: toNumber(spki.subarray(-fieldBytes)) };
  if (q.x >= p || q.y >= p || mod(q.y * q.y - q.x ** 3n + 3n * q.x - curve.b, p) !== 0n) return false;
  const w = inverse(s, n);
  const { x, z } = combine(curve, mod(toNumber(digest) * w, n), mod(r * w, n), { ...q, z: 1n });
  return z !== 0n && mod(mod(x * inverse(z * z, p), p), n) === r;
}

/** u·G + v·Q, both at once: one doubling for each bit of the longer factor. */
function combine(curve: CurveNumbers, u: bigint, v: bigint, q: Point): Point {
  const g = { x: curve.x, y: curve.y, z: 1n };
  const both = add(curve, g, q);
  let sum: Point = { x: 1n, y: 1n, z: 0n };
  for (let bit = BigInt(curve.n.toString(2).length) - 1n; bit >= 0n; bit--) {
    sum = double(curve, sum);
    const [ofG, ofQ] = [(u >> bit) & 1n, (v >> bit) & 1n];
    if (ofG === 1n) sum = add(curve, sum, ofQ === 1n ? both : g);
    else if (ofQ === 1n) sum = add(curve, sum, q);
  }
  return sum;
}

/** For a = −3 (Cohen, Miyaji and Ono 1998). */
function double({ p }: CurveNumbers, { x, y, z }: Point): Point {
  const zz = mod(z * z, p);
  const yy = mod(y * y, p);
  const xyy = mod(x * yy, p);
  const slope = mod(3n * (x - zz) * (x + zz), p);
  const x3 = mod(slope * slope - 8n * xyy, p);
  return { x: x3, y: mod(slope * (4n * xyy - x3) - 8n * yy * yy, p), z: mod(2n * y * z, p) };
}

function add(curve: CurveNumbers, a: Point, b: Point): Point {
  if (a.z === 0n) return b;
  if (b.z === 0n) return a;
  const { p } = curve;
  const [aa, bb] = [mod(a.z * a.z, p), mod(b.z * b.z, p)];
  const [ax, bx] = [mod(a.x * bb, p), mod(b.x * aa, p)];
  const [ay, by] = [mod(a.y * b.z * bb, p), mod(b.y * a.z * aa, p)];
  const [run, rise] = [mod(bx - ax, p), mod(by - ay, p)];
  if (run === 0n) return rise === 0n ? double(curve, a) : { x: 1n, y: 1n, z: 0n };
  const square = mod(run * run, p);
  const cube = mod(square * run, p);
  const x = mod(rise * rise - cube - 2n * ax * square, p);
  return { x, y: mod(rise * (ax * square - x) - ay * cube, p), z: mod(run * a.z * b.z, p) };
}

/** Extended Euclid. @param modulus - Prime, and not a divisor of `value`. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [high, low] = [modulus, mod(value, modulus)];
  let [before, factor] = [0n, 1n];
  while (low > 1n) {
    const quotient = high / low;
    [high, low] = [low, high - quotient * low];
    [before, factor] = [factor, before - quotient * factor];
  }
  return mod(factor, modulus);
}

function mod(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(bytes)}`);
}
