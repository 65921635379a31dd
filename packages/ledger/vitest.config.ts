import shared from "@sealane/tidy/vitest";
import { mergeConfig } from "vitest/config";

/** The files share one set of modules: loading it for each took longer than most of the tests. None of them changes module state. */
export default mergeConfig(shared, { test: { isolate: false } });
