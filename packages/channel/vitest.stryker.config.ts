import shared from "@sealane/tidy/vitest";
import { mergeConfig } from "vitest/config";

/** Searches of many seconds are left out: a change that only they would notice is missing a test of its own. */
const searches = [
  "test/deliveries.test.ts",
  "test/exploration/**",
  "test/symbolic/**",
  "test/model/**",
  "test/faults.property.test.ts",
];

export default mergeConfig(shared, { test: { isolate: false, exclude: searches } });
