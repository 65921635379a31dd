/**
 * X.690 §10, §11: the same certificate in any other BER encoding is refused. Every element of a real certificate, at every
 * depth, extensions included, is written again in each way BER would allow; a reader that forgives one of them fails here.
 */

import { describe, expect, test } from "vitest";
import { parseCertificate } from "../src/index.js";
import { leaf, service, suite } from "./forge.js";

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** What is inside: of a constructed element, or of the octet string of an extension, which holds DER. */
  readonly children: readonly Element[] | undefined;
}

/** Writes one element otherwise than DER does, or leaves it where that is impossible. */
type Rewrite = (element: Element, content: Uint8Array) => Uint8Array | undefined;

const BOOLEAN = 0x01;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const CONSTRUCTED = 0x20;

const REWRITES: Readonly<Record<string, Rewrite>> = {
  "a length in the long form": ({ tag }, content) =>
    content.length < 0x80 ? Uint8Array.of(tag, 0x81, content.length, ...content) : undefined,
  "a length with a leading zero": ({ tag }, content) =>
    Uint8Array.of(tag, 0x83, 0, content.length >> 8, content.length & 0xff, ...content),
  "an indefinite length": ({ tag }, content) =>
    (tag & CONSTRUCTED) !== 0 ? Uint8Array.of(tag, 0x80, ...content, 0, 0) : undefined,
  "one element more at the end": ({ tag, children }, content) =>
    children && encodeElement(tag, Uint8Array.of(...content, 5, 0)),
  "one byte more at the end": ({ tag, children }, content) =>
    children && encodeElement(tag, Uint8Array.of(...content, 0)),
  "a string in one part": ({ tag }, content) =>
    tag === OCTET_STRING || tag === UTF8_STRING
      ? encodeElement(tag | CONSTRUCTED, encodeElement(tag, content))
      : undefined,
  "true as 1": ({ tag }) => (tag === BOOLEAN ? encodeElement(tag, Uint8Array.of(1)) : undefined),
};

describe.each([
  ["an endorsed certificate", leaf],
  ["a service certificate", service.certificate],
])("%s", (_, der) => {
  const root = decodeAll(der)[0] ?? { tag: 0, content: der, children: undefined };

  test("written back as it is, it is accepted", () => {
    expect(encode(root)).toEqual(der);
    expect(parseCertificate(suite, encode(root)).der).toEqual(der);
  });

  test.each(Object.entries(REWRITES))("refused with %s, at any element", (_, rewrite) => {
    let tried = 0;
    for (const target of walk(root)) {
      const changed = encode(root, target, rewrite);
      if (Buffer.from(changed).equals(Buffer.from(der))) continue;
      tried++;
      const at = Buffer.from(target.content).toString("hex");
      expect(() => parseCertificate(suite, changed), `tag ${target.tag}, content ${at}`).toThrow(
        expect.objectContaining({ name: "CertificateError" }),
      );
    }
    expect(tried).toBeGreaterThan(0);
  });
});

function decodeAll(der: Uint8Array): readonly Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < der.length; ) {
    const tag = der[at] ?? 0;
    const first = der[at + 1] ?? 0;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    let length = lengthBytes === 0 ? first : 0;
    for (const byte of der.subarray(at + 2, at + 2 + lengthBytes)) length = length * 256 + byte;
    const start = at + 2 + lengthBytes;
    const content = der.subarray(start, start + length);
    const inExtension = tag === OCTET_STRING && elements[0]?.tag === OBJECT_IDENTIFIER;
    const children = (tag & CONSTRUCTED) !== 0 || inExtension ? decodeAll(content) : undefined;
    elements.push({ tag, content, children });
    at = start + length;
  }
  return elements;
}

function encode(element: Element, target?: Element, rewrite?: Rewrite): Uint8Array {
  const content =
    element.children === undefined
      ? element.content
      : Uint8Array.from(element.children.flatMap((child) => [...encode(child, target, rewrite)]));
  const rewritten = element === target ? rewrite?.(element, content) : undefined;
  return rewritten ?? encodeElement(element.tag, content);
}

function encodeElement(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  if (length < 0x80) return Uint8Array.of(tag, length, ...content);
  if (length < 0x100) return Uint8Array.of(tag, 0x81, length, ...content);
  return Uint8Array.of(tag, 0x82, length >> 8, length & 0xff, ...content);
}

function* walk(element: Element): Generator<Element> {
  yield element;
  for (const child of element.children ?? []) yield* walk(child);
}
