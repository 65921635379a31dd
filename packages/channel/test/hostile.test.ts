/** Every truncation of each message and record, and a sample of the bit flips; all of those are in `hostile.long.test.ts`. */
import { concatBytes } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { flip } from "./harness.js";
import { isOpen, scenes } from "./hostile.js";

/** Prime to all lengths here, so that each run of the sample meets every kind of field. */
const STEP = 127;

describe.each([1, 2] as const)("version %i", (version) => {
  it.each(scenes(version).map((scene) => [scene.name, scene] as const))(
    "%s: every truncation is refused",
    (_, scene) => {
      const taken = Array.from(scene.genuine.keys()).filter((length) => !scene.refuses(scene.genuine.slice(0, length)));
      expect(taken).toEqual([]);
      expect(scene.takesGenuine()).toBe(true);
    },
  );

  it.each(scenes(version).map((scene) => [scene.name, scene] as const))(
    "%s: a sample of its bit flips is refused",
    (_, scene) => {
      const taken: number[] = [];
      for (let bit = 0; bit < 8 * scene.genuine.length; bit += STEP) {
        if (!isOpen(scene, bit >> 3) && !scene.refuses(flip(scene.genuine, bit))) taken.push(bit);
      }
      expect(taken).toEqual([]);
      expect(scene.takesGenuine()).toBe(true);
    },
  );

  it.each(scenes(version).map((scene) => [scene.name, scene] as const))(
    "%s: a byte behind it is refused, unless ledger entries may stand there",
    (_, scene) => {
      const longer = concatBytes(scene.genuine, Uint8Array.of(0));
      expect(scene.refuses(longer)).toBe(scene.name !== "consensus record");
    },
  );
});
