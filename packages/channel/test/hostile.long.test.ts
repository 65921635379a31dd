/** Every single bit flip of every handshake message and of one record of each type, in both versions; a minute or two. */
import { describe, expect, it } from "vitest";
import { flip } from "./harness.js";
import { isOpen, scenes } from "./hostile.js";

describe.each([1, 2] as const)("version %i", (version) => {
  it.each(scenes(version).map((scene) => [scene.name, scene] as const))(
    "%s: every single bit flip is refused",
    { timeout: 300_000 },
    (_, scene) => {
      const taken: number[] = [];
      for (let bit = 0; bit < 8 * scene.genuine.length; bit++) {
        if (!isOpen(scene, bit >> 3) && !scene.refuses(flip(scene.genuine, bit))) taken.push(bit);
      }
      expect(taken).toEqual([]);
      expect(scene.takesGenuine()).toBe(true);
    },
  );
});
