/**
 * PEM, the strict textual encoding of RFC 7468 §3 (`stricttextualmsg`): one block, lines of exactly 64 characters and a last
 * shorter one, nothing before and nothing after but one end of line. Lines end in LF or CRLF.
 */

import { CryptoError } from "./errors.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const LINE_CHARACTERS = 64;
/** Far above any certificate or key here; bounds the work on text from outside. */
const PEM_CHARACTERS_MAX = 262_144;
/** RFC 7468 §3: printable characters, no hyphen or space at an end; here capitals and single spaces suffice. */
const LABEL = /^[A-Z0-9]+( [A-Z0-9]+)*$/;

/**
 * @param label - Such as "CERTIFICATE", "PRIVATE KEY" or "PUBLIC KEY".
 * @returns The block, every line ended by LF.
 * @throws {RangeError} when the label is not made of capitals, digits and single spaces.
 * @example
 * const text = pemEncode("CERTIFICATE", certificate);
 */
export function pemEncode(label: string, der: Uint8Array): string {
  if (!LABEL.test(label)) throw new RangeError("a PEM label is made of capitals, digits and single spaces");
  const body = base64(der);
  const lines = [`-----BEGIN ${label}-----`];
  for (let at = 0; at < body.length; at += LINE_CHARACTERS) lines.push(body.slice(at, at + LINE_CHARACTERS));
  lines.push(`-----END ${label}-----`, "");
  return lines.join("\n");
}

/**
 * @param label - The label the block must have.
 * @throws {CryptoError} "malformed" when the text is not exactly one such block in the strict form.
 */
export function pemDecode(label: string, text: string): Uint8Array {
  if (!LABEL.test(label)) throw new RangeError("a PEM label is made of capitals, digits and single spaces");
  if (text.length > PEM_CHARACTERS_MAX) throw malformed();
  const lines = text.split(text.includes("\r") ? "\r\n" : "\n");
  if (lines.at(-1) === "") lines.pop();
  const body = lines.slice(1, -1);
  if (lines[0] !== `-----BEGIN ${label}-----` || lines.length < 2 || lines.at(-1) !== `-----END ${label}-----`) {
    throw malformed();
  }
  body.forEach((line, index) => {
    const full = line.length === LINE_CHARACTERS;
    const last = index === body.length - 1;
    if (!full && !(last && line.length > 0 && line.length < LINE_CHARACTERS)) throw malformed();
  });
  return fromBase64(body.join(""));
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b, c] = bytes.subarray(at, at + 3);
    const bits = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    text += ALPHABET.charAt(bits >> 18) + ALPHABET.charAt((bits >> 12) & 63);
    text += b === undefined ? "=" : ALPHABET.charAt((bits >> 6) & 63);
    text += c === undefined ? "=" : ALPHABET.charAt(bits & 63);
  }
  return text;
}

/** RFC 4648 §4 with §3.5: padding is required and unused bits are zero, so that each byte string has one text. */
function fromBase64(text: string): Uint8Array {
  const padding = /={0,2}$/.exec(text)?.[0].length ?? 0;
  if (text.length % 4 !== 0) throw malformed();
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let bits = 0;
  let bitCount = 0;
  let at = 0;
  for (let index = 0; index < text.length - padding; index++) {
    const value = ALPHABET.indexOf(text.charAt(index));
    if (value < 0) throw malformed();
    bits = ((bits << 6) | value) & 0xffff;
    bitCount += 6;
    if (bitCount < 8) continue;
    bitCount -= 8;
    bytes[at++] = (bits >> bitCount) & 0xff;
  }
  if ((bits & ((1 << bitCount) - 1)) !== 0) throw malformed();
  return bytes;
}

function malformed(): CryptoError {
  return new CryptoError("malformed", "PEM text");
}
