/** The rooms of the frontend, read from the imports. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const SOURCE = resolve(__dirname, "../src");
const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) => /\.(ts|svelte)$/.test(name));
const text = new Map(files.map((name) => [name, readFileSync(join(SOURCE, name), "utf8")]));

/** What a file imports of ours; types alone make no circle at run time. */
function imports(name: string, types: boolean): string[] {
  const found = text.get(name)!.matchAll(/(import|export)\s(type\s)?[^;]*?from "(\.[^"]+)"/g);
  return [...found].filter(([, , type]) => types || !type).map(([, , , path]) => resolved(name, path!));
}

function resolved(from: string, path: string): string {
  const name = relative(SOURCE, resolve(SOURCE, dirname(from), path));
  return [name, `${name}.ts`].find((candidate) => text.has(candidate)) ?? name;
}

test("only src/api fetches", () => {
  const callers = files.filter((name) => /\bfetch\(|new EventSource|XMLHttpRequest|sendBeacon/.test(text.get(name)!.replaceAll(/\/\*.*?\*\//gs, "").replaceAll(/(this\.|async |private )fetch\(/g, "")));
  expect(callers.every((name) => name.startsWith("api/"))).toBe(true);
  expect(callers.length).toBeGreaterThan(0);
});

test("the map core knows nothing but itself", () => {
  const strays = files.filter((name) => name.startsWith("map/")).flatMap((name) => imports(name, true).filter((other) => !other.startsWith("map/")));
  expect(strays).toEqual([]);
});

test("the files of the API know no panel and no explorer", () => {
  const strays = files.filter((name) => name.startsWith("api/")).flatMap((name) => imports(name, true).filter((other) => /^(panels|explorer|pages)/.test(other)));
  expect(strays).toEqual([]);
});

test("no file imports itself in a circle", () => {
  const finished = new Set<string>();
  const visit = (name: string, path: string[]): void => {
    if (path.includes(name)) throw new Error([...path.slice(path.indexOf(name)), name].join(" -> "));
    if (finished.has(name)) return;
    for (const other of imports(name, false)) if (text.has(other)) visit(other, [...path, name]);
    finished.add(name);
  };
  expect(() => files.forEach((name) => visit(name, []))).not.toThrow();
  expect(finished.size).toBe(files.length);
});
