import { defineConfig } from "vitest/config";
// Into the Python package, from where the server sends it; nothing is inlined.
export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    outDir: "../../src/bgs/library/web/page",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { environment: "jsdom", include: ["tests/**/*.test.ts"], restoreMocks: true, unstubGlobals: true },
});
