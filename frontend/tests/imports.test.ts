import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const folder = fileURLToPath(new URL("../src/map", import.meta.url));
const files = readdirSync(folder).map((name) => join(folder, name));

/** The modules that a file imports from this project, types included: a cycle of types is a cycle to the reader. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map(([, path]) => `${normalize(join(dirname(file), path!))}.ts`);
}

test("the map core knows nothing outside of its folder", () => {
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) for (const imported of importsOf(file)) expect(files).toContain(imported);
});

test("the map core has no import cycle", () => {
  const state = new Map<string, "open" | "done">();
  const visit = (file: string, path: string[]): void => {
    expect(state.get(file) === "open" ? [...path, file] : null).toBeNull();
    if (state.has(file)) return;
    state.set(file, "open");
    for (const imported of importsOf(file)) visit(imported, [...path, file]);
    state.set(file, "done");
  };
  files.forEach((file) => visit(file, []));
});
