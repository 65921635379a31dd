import shared from "@sealane/tidy/stryker";

export default { ...shared, vitest: { ...shared.vitest, configFile: "vitest.stryker.config.ts" } };
