import { utf8 } from "@sealane/wire";
import { expect, test } from "vitest";
import { shownBytes, shownMaps } from "./shown-maps.js";

test.each([
  [utf8("Vega ä 🚢"), "Vega ä 🚢"],
  [utf8("a\tb\r\n"), "a\tb\r\n"],
  [new Uint8Array(0), ""],
  [new Uint8Array(8), { hex: "0000000000000000" }],
  [utf8("\u001b[31m"), { hex: "1b5b33316d" }],
  [utf8("\u009b"), { hex: "c29b" }],
  [Uint8Array.of(0xff, 0xfe), { hex: "fffe" }],
] as const)("%j is shown as text only if a terminal and a reader can take it", (bytes, shown) => {
  expect(shownBytes(bytes)).toEqual(shown);
});

test("a map keeps its order", () => {
  const writes = [
    [utf8("a"), utf8("1")],
    [utf8("b"), Uint8Array.of(0)],
  ] as const;
  expect(shownMaps([{ name: "notes", writes, removes: [utf8("c")] }])).toEqual([
    {
      name: "notes",
      writes: [
        { key: "a", value: "1" },
        { key: "b", value: { hex: "00" } },
      ],
      removes: ["c"],
    },
  ]);
});
