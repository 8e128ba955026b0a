/** `npm run build && npm run mock`: the built pages over made-up data, at http://localhost:5198/map. */

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { mockServer } from "./server";

const root = fileURLToPath(new URL("../..", import.meta.url));

export default defineConfig({
  root,
  plugins: [mockServer({ points: Number(process.env["POINTS"] ?? 100_000), folder: `${root}/dist` })],
  preview: { port: Number(process.env["PORT"] ?? 5198), strictPort: true },
});
