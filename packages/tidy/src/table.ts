/**
 * Which package may import what (design, "The house"). A package has one part for each of its entry points; a source belongs to every part
 * that reaches it, and may import only what all of those may. So `node:crypto` is allowed behind `crypto/native`, and stops being allowed the
 * moment a source that has it can be reached from the package's main entry point.
 */
export interface Part {
  /** Source of the entry point, relative to the package. */
  readonly entry: string;
  /** Workspace entry points, exactly as they are imported. */
  readonly workspace: readonly string[];
  /** npm packages; their sub-paths are included. */
  readonly npm: readonly string[];
  /** `node:` modules, or all of them. */
  readonly node: readonly string[] | "all";
  /** No clock, timer, randomness, console, or API of Node alone: it must run in a browser and repeat exactly. */
  readonly pure: boolean;
  /** All sources in this folder belong to the part, whoever reaches them. */
  readonly folder?: string;
  /** And no source outside of the folder does. */
  readonly closed?: boolean;
}

const PURE_PACKAGES = [
  "@sealane/channel",
  "@sealane/consensus",
  "@sealane/crypto",
  "@sealane/kv",
  "@sealane/ledger",
  "@sealane/wire",
];
const APP_WORKSPACE = [
  "@sealane/client",
  "@sealane/crypto",
  "@sealane/crypto/native",
  "@sealane/ledger",
  "@sealane/ledger/files",
  "@sealane/ledger/receipt",
  "@sealane/node",
  "@sealane/wire",
];
const CRYPTO_NPM = [
  "@noble/ciphers",
  "@noble/curves",
  "@noble/hashes",
  "@peculiar/asn1-ecc",
  "@peculiar/asn1-schema",
  "@peculiar/asn1-x509",
];

function pure(workspace: readonly string[], npm: readonly string[] = []): Part {
  return { entry: "src/index.ts", workspace, npm, node: [], pure: true };
}

/** An entry point that may do more than the main one. */
function beside(main: Part, entry: string, more: Partial<Part>): Part {
  return { ...main, entry, pure: false, ...more };
}

const crypto = pure([], CRYPTO_NPM);
const ledger = pure(["@sealane/crypto", "@sealane/wire"], ["cborg"]);
const transport = pure(["@sealane/wire"]);
const sim = pure([
  ...PURE_PACKAGES,
  "@sealane/crypto/simulated",
  "@sealane/ledger/testing",
  "@sealane/node/core",
  "@sealane/transport",
]);
const testing = { npm: ["vitest", "fast-check"], node: "all" } as const;

export const IMPORT_TABLE: Readonly<Record<string, readonly Part[]>> = {
  "packages/crypto": [
    crypto,
    beside(crypto, "src/native.ts", { node: ["node:crypto"] }),
    { ...crypto, entry: "src/simulated.ts" },
    { ...pure([], ["@noble/curves", "@noble/hashes"]), entry: "src/verifier.ts" },
    beside(crypto, "src/testing.ts", { ...testing, npm: [...CRYPTO_NPM, ...testing.npm] }),
  ],
  "packages/wire": [pure([], ["zod"])],
  "packages/channel": [pure(["@sealane/crypto", "@sealane/wire"])],
  "packages/consensus": [pure(["@sealane/wire"])],
  "packages/kv": [pure(["@sealane/wire"])],
  "packages/ledger": [
    ledger,
    { ...ledger, entry: "src/receipt.ts" },
    { ...ledger, entry: "src/testing.ts" },
    beside(ledger, "src/files.ts", { node: "all" }),
  ],
  "packages/transport": [
    transport,
    beside(transport, "src/tcp.ts", { node: "all" }),
    beside(transport, "src/testing.ts", testing),
  ],
  "packages/node": [
    {
      entry: "src/index.ts",
      workspace: [...PURE_PACKAGES, "@sealane/crypto/native", "@sealane/ledger/files"].concat(
        "@sealane/transport",
        "@sealane/transport/tcp",
      ),
      npm: ["undici", "zod"],
      node: "all",
      pure: false,
    },
    { ...pure(PURE_PACKAGES, ["zod"]), entry: "src/core/index.ts", folder: "src/core", closed: true },
  ],
  "packages/client": [
    { ...pure(["@sealane/crypto", "@sealane/ledger", "@sealane/ledger/receipt", "@sealane/wire"]), pure: false },
  ],
  "packages/sim": [{ ...sim, pure: false }, beside(sim, "src/vitest.ts", { node: "all", npm: ["vitest"] })],
  "packages/tidy": [{ entry: "src/readme.ts", workspace: [], npm: ["fast-check", "vitest"], node: "all", pure: false }],
  "apps/cli": [
    {
      entry: "src/main.ts",
      workspace: [...APP_WORKSPACE, "@sealane/channel"],
      npm: ["cli-progress", "commander", "undici"],
      node: "all",
      pure: false,
    },
  ],
  "apps/demo": [
    {
      entry: "src/main.ts",
      workspace: APP_WORKSPACE,
      npm: ["@hono/node-server", "@preact/signals", "commander", "hono", "preact", "undici", "zod"],
      node: "all",
      pure: false,
    },
    {
      entry: "src/page/main.tsx",
      workspace: ["@sealane/client", "@sealane/crypto", "@sealane/ledger", "@sealane/ledger/receipt", "@sealane/wire"],
      npm: ["@preact/signals", "preact", "zod"],
      node: [],
      pure: false,
      folder: "src/page",
    },
  ],
};
