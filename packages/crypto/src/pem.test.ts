import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pemDecode, pemEncode } from "./pem.js";

const LABEL = "CERTIFICATE";

test("decode ∘ encode is the identity", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(pemDecode(LABEL, pemEncode(LABEL, bytes))).toEqual(Uint8Array.from(bytes));
    }),
  );
});

test("encode agrees with an independent base64", () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, index) => (index * 37) & 0xff);
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  expect(pemEncode(LABEL, bytes)).toBe(`-----BEGIN ${LABEL}-----\n${lines.join("\n")}\n-----END ${LABEL}-----\n`);
});

test("lines may end in CRLF, and the last line need not end", () => {
  const bytes = new Uint8Array(100).fill(7);
  const text = pemEncode(LABEL, bytes);
  expect(pemDecode(LABEL, text.replaceAll("\n", "\r\n"))).toEqual(bytes);
  expect(pemDecode(LABEL, text.trimEnd())).toEqual(bytes);
});

describe("refuses", () => {
  const good = pemEncode(LABEL, new Uint8Array(100).fill(7));
  const line = good.split("\n")[1] ?? "";
  const block = (body: string) => `-----BEGIN ${LABEL}-----\n${body}\n-----END ${LABEL}-----\n`;
  test.each([
    ["nothing", ""],
    ["another label", good.replaceAll(LABEL, "PRIVATE KEY")],
    ["two labels", good.replace(`END ${LABEL}`, "END X")],
    ["text before", `text\n${good}`],
    ["text behind", `${good}text\n`],
    ["two blocks", good + good],
    ["an empty line behind", `${good}\n`],
    ["no end", good.slice(0, good.indexOf("-----END"))],
    ["a blank line inside", good.replace(line, `${line}\n`)],
    ["a header", good.replace(line, `Proc-Type: 4,ENCRYPTED\n${line}`)],
    ["a space in a line", good.replace(line, ` ${line.slice(1)}`)],
    ["lines of another length", good.replace(line, `${line.slice(0, 60)}\n${line.slice(60)}`)],
    ["one long line", block(line + line)],
    ["mixed line ends", good.replace("\n", "\r\n")],
    ["base64 of the web", block("-_-_")],
    ["missing padding", block("BwcHBw")],
    ["padding alone", block("====")],
    ["padding inside", block("Bw==BwcH")],
    ["unused bits that are not zero", block("Bx==")],
    ["unused bits that are not zero, one padding", block("BwB=")],
    ["more text than the bound", block("A".repeat(262_144))],
  ])("%s", (_, text) => {
    expect(() => pemDecode(LABEL, text)).toThrow(expect.objectContaining({ name: "CryptoError", code: "malformed" }));
  });

  test.each(["", "certificate", "A-B", "A\n", " A", "A  B"])("the label %j", (label) => {
    expect(() => pemEncode(label, new Uint8Array())).toThrow(RangeError);
    expect(() => pemDecode(label, good)).toThrow(RangeError);
  });
});
