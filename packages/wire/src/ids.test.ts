import { expect, test } from "vitest";
import { seqno, VIEW_MAX, view } from "./brands.js";
import { formatTxId, nodeIdBytes, nodeIdFromBytes, parseNodeId, parseTxId } from "./ids.js";

test("a transaction id is view.seqno", () => {
  expect(formatTxId({ view: view(2), seqno: seqno(17) })).toBe("2.17");
  expect(parseTxId("2.17")).toEqual({ view: 2, seqno: 17 });
  expect(parseTxId("0.0")).toEqual({ view: 0, seqno: 0 });
  const last = `${VIEW_MAX}.${Number.MAX_SAFE_INTEGER}`;
  expect(formatTxId(parseTxId(last))).toBe(last);
});

test.each(["", "2", "2.", ".17", "2.17.", "02.17", "2.017", "-1.2", "+1.2", "1e3.2", " 2.17", "2.17\n", "2,17", "٢.١"])(
  "%j is no transaction id",
  (text) => {
    expect(() => parseTxId(text)).toThrow(expect.objectContaining({ name: "WireError", code: "malformed" }));
  },
);

test.each([`${VIEW_MAX + 1}.1`, `1.${Number.MAX_SAFE_INTEGER + 1}`, "9999999999.1", "1.9999999999999999"])(
  "transaction id %s is out of range",
  (text) => {
    expect(() => parseTxId(text)).toThrow(expect.objectContaining({ name: "WireError", code: "out-of-range" }));
  },
);

test("a node id is 64 lower-case hex digits, or 32 bytes", () => {
  const id = parseNodeId("0764351932f03b46bcfaf4eea8472f5fb828a4cd24c981b18ac60f82a037b6ea");
  expect(nodeIdBytes(id).length).toBe(32);
  expect(nodeIdFromBytes(nodeIdBytes(id))).toBe(id);
  for (const text of ["", "07", id.toUpperCase(), `${id}0`, `g${id.slice(1)}`]) {
    expect(() => parseNodeId(text)).toThrow(expect.objectContaining({ name: "WireError", code: "malformed" }));
  }
  expect(() => nodeIdFromBytes(new Uint8Array(31))).toThrow(RangeError);
});
