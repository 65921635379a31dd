import shared from "@sealane/tidy/stryker";

/** The state of the protocol: which exchange runs and what waits, and which keys seal and open until when. */
const mutate = [
  "src/{answered-inits,backoff,exchange,limits,pending-handshakes,rate-limiter}.ts",
  "src/{receive-key,receive-keys,record-layer,send-key,send-queue,sending}.ts",
  "src/{record-v2,key-schedule-v2,handshake-v2}.ts",
];

export default { ...shared, mutate, vitest: { ...shared.vitest, configFile: "vitest.stryker.config.ts" } };
