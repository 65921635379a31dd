/** Builds the page and its workers into dist/page, where the server finds them. */
import { defineConfig } from "vite";

export default defineConfig({
  root: "src/page",
  base: "/",
  worker: { format: "es" },
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
