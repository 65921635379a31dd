import shared from "@sealane/tidy/vitest";
import { mergeConfig } from "vitest/config";

// No test here touches a global or a module's state, so all files share one worker: the curves are loaded, and made fast, once.
export default mergeConfig(shared, { test: { pool: "threads", isolate: false } });
