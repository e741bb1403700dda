import { defineConfig } from "vitest/config";

// Into the Python package, from where the server sends it; nothing is inlined, so that a strict policy holds.
export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    outDir: "../../src/bgs/collection/web/page",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ["index.html", "admin.html", "practice.html", "bundle.html"] },
  },
  test: { environment: "jsdom", include: ["tests/**/*.test.ts"], restoreMocks: true, unstubGlobals: true },
});
