import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const page = (name: string) => fileURLToPath(new URL(`${name}.html`, import.meta.url));

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  build: { target: "es2022", emptyOutDir: true, modulePreload: { polyfill: false }, rollupOptions: { input: { ours: page("ours"), regl: page("regl"), deck: page("deck") } } },
});
