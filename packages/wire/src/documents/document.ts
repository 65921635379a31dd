/**
 * How JSON documents are read: one strict zod schema per document, and one sentence when it does not fit. Schemas stay inside this package;
 * others call the parse functions and see `WireError` alone.
 */
import { z } from "zod";
import { ADDRESS_CHARS_MAX, splitAddress } from "../address.js";
import { fromBase64, fromUtf8 } from "../bytes.js";
import { WireError } from "../errors.js";
import { parseTxId } from "../ids.js";

/** Bound on a PEM text: a P-384 certificate is about 1 KiB. */
const PEM_CHARS_MAX = 32 * 1024;
/** A field name of the input that is repeated in a message is cut to this. */
const NAME_CHARS_MAX = 40;

/**
 * The value of JSON text, given as text or as UTF-8 bytes.
 * @throws {WireError} `malformed` when it is not JSON, `utf8` when the bytes are not text.
 */
export function parseJson(text: string | Uint8Array): unknown {
  const json = typeof text === "string" ? text : fromUtf8(text);
  try {
    return JSON.parse(json);
  } catch {
    // The engine's own error is no cause to keep: it quotes the text, which may hold a secret.
    throw new WireError("malformed", "the text is not JSON");
  }
}

/** Makes the parse function of a document: takes a value of `JSON.parse`, returns it typed, throws `WireError` "malformed". */
export function documentParser<S extends z.ZodType>(name: string, schema: S): (value: unknown) => z.output<S> {
  return (value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    // No cause either: zod's issues can hold parts of the input.
    throw new WireError("malformed", sentence(name, parsed.error.issues[0]));
  };
}

function sentence(name: string, issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return `the ${name} is wrong`;
  const where = fieldName(issue.path);
  if (issue.code === "unrecognized_keys") {
    const unknown = (issue.keys[0] ?? "").slice(0, NAME_CHARS_MAX);
    return `the ${name} has an unknown field ${JSON.stringify(where === "" ? unknown : `${where}.${unknown}`)}`;
  }
  const what = issue.message.replace("Invalid input: ", "");
  return where === "" ? `the ${name} is wrong: ${what}` : `the field "${where}" of the ${name} is wrong: ${what}`;
}

function fieldName(path: readonly PropertyKey[]): string {
  let name = "";
  for (const part of path) {
    if (typeof part === "number") name += `[${part}]`;
    else name += name === "" ? String(part) : `.${String(part)}`;
  }
  return name;
}

/** Text that `accepts` says is right. Kept as text: who needs the value parses it with the function of this package. */
function text(charsMax: number, accepts: (value: string) => boolean, expected: string): z.ZodString {
  return z
    .string()
    .max(charsMax, { error: `expected at most ${charsMax} characters`, abort: true })
    .refine(accepts, expected);
}

function passes(parse: (value: string) => unknown): (value: string) => boolean {
  return (value) => {
    try {
      parse(value);
      return true;
    } catch {
      return false;
    }
  };
}

export const AddressText = text(
  ADDRESS_CHARS_MAX,
  (value) => splitAddress(value) !== undefined,
  'expected "host:port"',
);

export const TxIdText = text(32, passes(parseTxId), 'expected a transaction id, "view.seqno"');

/** SHA-256 of a public key, as for node ids: member and service ids. */
export const KeyIdText = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hex digits");

export const CertificatePem = pem("CERTIFICATE");
export const PrivateKeyPem = pem("PRIVATE KEY");
export const PublicKeyPem = pem("PUBLIC KEY");

/** Base64 of at least `bytesMin` and at most `bytesMax` bytes. */
export function base64Text(bytesMin: number, bytesMax: number): z.ZodString {
  const check = (value: string): void => {
    const { length } = fromBase64(value);
    if (length < bytesMin || length > bytesMax) throw new RangeError("wrong length");
  };
  const size = bytesMin === bytesMax ? `${bytesMin}` : `${bytesMin} to ${bytesMax}`;
  return text(4 * Math.ceil(bytesMax / 3), passes(check), `expected the base64 text of ${size} bytes`);
}

/** Bytes in base64, at most `bytesMax`. Unlike the texts above it comes out as bytes: it may be long, and is read once. */
export function base64Bytes(bytesMax: number): z.ZodType<Uint8Array, string> {
  return z
    .string()
    .max(4 * Math.ceil(bytesMax / 3))
    .transform((text, context) => {
      try {
        return fromBase64(text);
      } catch {
        context.issues.push({ code: "custom", input: text, message: "expected base64 text" });
        return z.NEVER;
      }
    });
}

/** The outer form of a PEM text; what is inside is for the crypto package, which also refuses what RFC 7468 does not allow. */
function pem(label: string): z.ZodString {
  const form = new RegExp(`^-----BEGIN ${label}-----\\r?\\n[A-Za-z0-9+/=\\r\\n]+-----END ${label}-----\\r?\\n?$`);
  return text(PEM_CHARS_MAX, (value) => form.test(value), `expected a PEM text "${label}"`);
}
