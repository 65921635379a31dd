import shared from "@sealane/tidy/vitest";
import { mergeConfig } from "vitest/config";

// No test here touches a global or a module's state, so files share workers: the suites are loaded, and made fast, once for each.
export default mergeConfig(shared, { test: { isolate: false } });
