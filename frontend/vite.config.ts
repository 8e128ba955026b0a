import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const page = (name: string) => `src/pages/${name}.ts`;

export default defineConfig({
  // Relative URLs: Django decides at run time where the static files live.
  base: "./",
  plugins: [svelte()],
  build: {
    manifest: "manifest.json",
    target: "es2022",
    cssTarget: ["chrome123", "firefox128", "safari17.5"],
    // The content security policy allows no data: URLs for fonts and scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: ["site", "upload", "progress", "map", "search"].map(page) },
  },
  // A machine that is busy with other things takes its time.
  test: { include: ["tests/**/*.test.ts"], environment: "node", testTimeout: 60_000 },
});
