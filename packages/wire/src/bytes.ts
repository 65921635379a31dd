/**
 * Text and bytes, without any API that only browsers or only Node have. UTF-8, hex and base64 are strict: one byte string has exactly one
 * text and every other text is refused, so that what was signed or hashed cannot be spelled twice.
 */
import { WireError } from "./errors.js";

// Both exist in every browser and in Node; the es2023 library types know neither.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
declare const TextDecoder: new (
  label: string,
  options: { fatal: boolean; ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

const encoder = new TextEncoder();
// ignoreBOM keeps a leading byte order mark as a character; dropping it would give two byte strings the same text.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Names, ids and keys are that short, and their bytes are made for every entry: a call into the platform costs more than they do. */
const SHORT_TEXT_CHARS = 64;

/** The UTF-8 bytes of a text. A lone surrogate becomes U+FFFD, as everywhere in the platform. */
export function utf8(text: string): Uint8Array {
  if (text.length > SHORT_TEXT_CHARS) return encoder.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const charCode = text.charCodeAt(index);
    if (charCode > 0x7f) return encoder.encode(text); // not ASCII
    bytes[index] = charCode;
  }
  return bytes;
}

/**
 * The text of well-formed UTF-8 bytes.
 * @throws {WireError} `utf8` for anything else: overlong forms, surrogates, cut characters.
 */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new WireError("utf8", `the ${bytes.length} bytes are not well-formed UTF-8`, { cause });
  }
}

const HEX_OF_BYTE: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Lower-case hex, two digits a byte. */
export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX_OF_BYTE[byte];
  return text;
}

/**
 * The bytes of lower-case hex text.
 * @throws {WireError} `malformed` for an odd number of digits or any character outside `0-9a-f`, upper case included.
 */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new WireError("malformed", `hex text has an odd number of digits: ${text.length}`);
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    const high = hexDigit(text.charCodeAt(2 * index));
    const low = hexDigit(text.charCodeAt(2 * index + 1));
    if (high < 0 || low < 0) throw new WireError("malformed", "hex text may hold only the digits 0-9 and a-f");
    bytes[index] = high * 16 + low;
  }
  return bytes;
}

function hexDigit(charCode: number): number {
  if (charCode >= 0x30 && charCode <= 0x39) return charCode - 0x30;
  if (charCode >= 0x61 && charCode <= 0x66) return charCode - 0x61 + 10;
  return -1;
}

const BASE64_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_VALUE_OF_CHAR = new Int8Array(128).fill(-1);
for (let value = 0; value < 64; value++) BASE64_VALUE_OF_CHAR[BASE64_DIGITS.charCodeAt(value)] = value;

/** Base64 with padding (RFC 4648 §4), without line breaks. */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index < bytes.length; index += 3) {
    const left = bytes.length - index;
    // Bytes past the end count as zero bits; their digits are replaced by padding.
    const group = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    text += BASE64_DIGITS.charAt(group >> 18) + BASE64_DIGITS.charAt((group >> 12) & 63);
    text += left > 1 ? BASE64_DIGITS.charAt((group >> 6) & 63) : "=";
    text += left > 2 ? BASE64_DIGITS.charAt(group & 63) : "=";
  }
  return text;
}

/**
 * The bytes of base64 text with padding (RFC 4648 §4).
 * @throws {WireError} `malformed` for missing or misplaced padding, other characters, line breaks, or unused bits that are not zero.
 */
export function fromBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0) throw new WireError("malformed", "base64 text is not a multiple of 4 characters long");
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const digits = text.length - padding;
  const bytes = new Uint8Array(Math.floor((digits * 3) / 4));
  let bits = 0;
  let bitCount = 0;
  let length = 0;
  for (let index = 0; index < digits; index++) {
    const value = BASE64_VALUE_OF_CHAR[text.charCodeAt(index)] ?? -1;
    if (value < 0) throw new WireError("malformed", "base64 text holds a character that is no base64 digit");
    bits = ((bits << 6) | value) & 0xfff;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes[length++] = (bits >> bitCount) & 0xff;
    }
  }
  // RFC 4648 §3.5: the bits a shorter last group leaves over must be zero, or two texts would mean the same bytes.
  if ((bits & ((1 << bitCount) - 1)) !== 0)
    throw new WireError("malformed", "base64 text ends in bits that are not zero");
  return bytes;
}

/** Whether two byte strings are equal. Not in constant time: for secrets and authentication tags use the crypto suite's `equal`. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

/** One freshly allocated byte string out of several. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
