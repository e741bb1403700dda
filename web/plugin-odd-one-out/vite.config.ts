import { defineConfig } from "vitest/config";

// Two bundles: an ES module (default mode), and a script for pages without a bundler (`--mode browser`), whose global
// is the plugin itself, as in jsPsych's own plugins. The stylesheet is copied as it is.
export default defineConfig(({ mode }) => {
  const browser = mode === "browser";
  return {
    publicDir: "styles",
    build: {
      target: "es2022",
      sourcemap: true,
      emptyOutDir: !browser,
      copyPublicDir: !browser,
      lib: {
        entry: browser ? "src/browser.ts" : "src/index.ts",
        formats: [browser ? "iife" : "es"],
        name: "jsPsychOddOneOut",
        fileName: () => (browser ? "odd-one-out.iife.js" : "odd-one-out.js"),
      },
      rolldownOptions: {
        external: ["jspsych"],
        output: { globals: { jspsych: "jsPsychModule" } },
      },
    },
    test: {
      environment: "jsdom",
      include: ["tests/**/*.test.ts"],
      restoreMocks: true,
      unstubGlobals: true,
      testTimeout: 120_000, // no test waits in earnest: a busy machine is not a failure
    },
  };
});
