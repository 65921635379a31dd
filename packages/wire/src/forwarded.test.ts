import { expect, test } from "vitest";
import { seqno, VIEW_MAX, view } from "./brands.js";
import { fromHex, hex, utf8 } from "./bytes.js";
import {
  decodeForwardedHeader,
  decodeForwardedRequest,
  decodeForwardedResponse,
  encodeForwardedHeader,
  encodeForwardedRequest,
  encodeForwardedResponse,
  FORWARDED_PATH_BYTES_MAX,
  type ForwardedHeader,
  type ForwardedRequest,
  forwardedHeaderBytes,
} from "./forwarded.js";
import { CERTIFICATE_BYTES_MAX } from "./handshake.js";

const COMMAND: ForwardedHeader = { type: "command", commandId: 0x0102, view: view(3) };
const RESPONSE: ForwardedHeader = { type: "response", commandId: 0x0102, terminateSession: true };
const REQUEST: ForwardedRequest = { sessionId: 9, method: "PUT", path: "/records/a?commit=async", body: utf8("{}") };

function codeOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

function headerWith(header: ForwardedHeader, offset: number, value: number): unknown {
  const bytes = encodeForwardedHeader(header);
  bytes[offset] = value;
  return codeOf(() => decodeForwardedHeader(bytes));
}

test("headers have the bytes of version 3 commands and responses, with the format of the channel's version", () => {
  expect(hex(encodeForwardedHeader(COMMAND))).toBe("0400000000000000" + "01" + "0201000000000000" + "0300000000000000");
  expect(hex(encodeForwardedHeader(RESPONSE))).toBe("0500000000000000" + "01" + "0201000000000000" + "01");
  expect(hex(encodeForwardedHeader(COMMAND, { version: 1 })).slice(16, 18)).toBe("00");
  expect(hex(encodeForwardedHeader({ ...RESPONSE, terminateSession: false }, { version: 1 })).slice(16)).toBe(
    "00020100000000000000",
  );
});

test.each([COMMAND, RESPONSE])("decode ∘ encode is the identity for a $type header", (header) => {
  for (const version of [1, 2] as const) {
    const bytes = encodeForwardedHeader(header, { version });
    expect(decodeForwardedHeader(bytes, { version })).toEqual(header);
    expect(forwardedHeaderBytes(Uint8Array.of(...bytes, 1, 2, 3))).toBe(bytes.length);
  }
});

test("the other version's format is refused", () => {
  expect(codeOf(() => decodeForwardedHeader(encodeForwardedHeader(COMMAND), { version: 1 }))).toBe("unknown-kind");
  expect(headerWith(COMMAND, 8, 0)).toBe("unknown-kind");
});

test("older and unknown kinds, wrong flags, views above 2^31 - 1 are refused", () => {
  for (const kind of [0, 1, 2, 3, 6]) expect(headerWith(COMMAND, 0, kind)).toBe("unknown-kind");
  expect(headerWith(RESPONSE, 17, 2)).toBe("out-of-range");
  expect(headerWith(COMMAND, 17 + 3, 0x80)).toBe("out-of-range");
  const last: ForwardedHeader = { type: "command", commandId: 0, view: view(VIEW_MAX) };
  expect(decodeForwardedHeader(encodeForwardedHeader(last))).toEqual(last);
  expect(() => encodeForwardedHeader({ ...last, view: view(VIEW_MAX + 1) })).toThrow(RangeError);
  expect(() => encodeForwardedHeader({ ...COMMAND, commandId: -1 })).toThrow(RangeError);
  expect(() => encodeForwardedHeader({ ...COMMAND, commandId: seqno(2 ** 53) })).toThrow(RangeError);
});

test("a kind is looked at as soon as its 8 bytes are there, a header once it is whole", () => {
  expect(codeOf(() => forwardedHeaderBytes(new Uint8Array(7)))).toBe("truncated");
  expect(codeOf(() => forwardedHeaderBytes(new Uint8Array(8)))).toBe("unknown-kind");
  expect(codeOf(() => forwardedHeaderBytes(encodeForwardedHeader(COMMAND).subarray(0, 8)))).toBe("truncated");
});

test("a request's plaintext, without and with a caller's certificate", () => {
  const short: ForwardedRequest = { sessionId: 9, method: "GET", path: "/a", body: Uint8Array.of(0xbb) };
  const request = "03000000474554" + "020000002f61" + "01000000bb";
  expect(hex(encodeForwardedRequest(short))).toBe(`${"0900000000000000"}00${request}`);
  const withCertificate = { ...short, callerCertificate: Uint8Array.of(0xcc, 0xdd) };
  expect(hex(encodeForwardedRequest(withCertificate))).toBe(
    `${"0900000000000000"}01${"0200000000000000"}ccdd${request}`,
  );
  expect(decodeForwardedRequest(encodeForwardedRequest(withCertificate))).toEqual(withCertificate);
  expect(decodeForwardedRequest(encodeForwardedRequest(short))).toStrictEqual(short); // no field for a certificate
});

test("a response's plaintext", () => {
  const response = { sessionId: 9, status: 503, body: Uint8Array.of(1, 2) };
  expect(hex(encodeForwardedResponse(response))).toBe("0900000000000000" + "f7010000" + "020000000102");
  expect(decodeForwardedResponse(encodeForwardedResponse(response))).toEqual(response);
});

test.each([
  ["get", "/a"],
  ["", "/a"],
  ["G".repeat(17), "/a"],
  ["GET", "a"],
  ["GET", ""],
  ["GET", "/a b"],
  ["GET", "/a\r\nx: y"],
  ["GET", "/é"],
  ["GET", `/${"a".repeat(FORWARDED_PATH_BYTES_MAX)}`],
])("method %j with path %j is never written and never read", (method, path) => {
  expect(() => encodeForwardedRequest({ ...REQUEST, method, path })).toThrow(RangeError);
  const session = "0900000000000000" + "00";
  const blob = (bytes: Uint8Array): string => {
    const length = new DataView(new ArrayBuffer(4));
    length.setUint32(0, bytes.length, true);
    return hex(new Uint8Array(length.buffer)) + hex(bytes);
  };
  const bytes = fromHex(session + blob(utf8(method)) + blob(utf8(path)) + blob(new Uint8Array(0)));
  expect(codeOf(() => decodeForwardedRequest(bytes))).toMatch(/^(malformed|too-large)$/);
});

test("a path and a certificate at their bounds are taken, one byte more is not", () => {
  const request = {
    ...REQUEST,
    path: `/${"a".repeat(FORWARDED_PATH_BYTES_MAX - 1)}`,
    callerCertificate: new Uint8Array(CERTIFICATE_BYTES_MAX),
  };
  const bytes = encodeForwardedRequest(request);
  expect(decodeForwardedRequest(bytes)).toEqual(request);
  expect(() =>
    encodeForwardedRequest({ ...REQUEST, callerCertificate: new Uint8Array(CERTIFICATE_BYTES_MAX + 1) }),
  ).toThrow(RangeError);
  new DataView(bytes.buffer).setUint32(9, CERTIFICATE_BYTES_MAX + 1, true);
  expect(codeOf(() => decodeForwardedRequest(bytes))).toBe("too-large");
});

test("an empty certificate, a flag other than 0 and 1 and a status that is none are refused", () => {
  expect(() => encodeForwardedRequest({ ...REQUEST, callerCertificate: new Uint8Array(0) })).toThrow(RangeError);
  expect(codeOf(() => decodeForwardedRequest(fromHex("0900000000000000" + "01" + "0000000000000000")))).toBe(
    "malformed",
  );
  expect(codeOf(() => decodeForwardedRequest(fromHex("0900000000000000" + "02")))).toBe("out-of-range");
  for (const status of [0, 199, 600, 200.5]) {
    expect(() => encodeForwardedResponse({ sessionId: 1, status, body: new Uint8Array(0) })).toThrow(RangeError);
  }
  expect(codeOf(() => decodeForwardedResponse(fromHex("0900000000000000" + "c7000000" + "00000000")))).toBe(
    "out-of-range",
  );
});
