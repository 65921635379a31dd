/** Builds the page into dist/page, where the demo's server finds it. */
import { defineConfig } from "vite";

export default defineConfig({
  root: "src/page",
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  // Nothing is inlined: the page's content security policy allows only files of its own.
  build: {
    outDir: "../../dist/page",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: "es2023",
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  logLevel: "warn",
});
