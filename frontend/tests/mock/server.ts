/** A stand-in for the server: the map page over made-up maps, with the real policy for content. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "vite";
import { readBytes, writeMap, type Files } from "./files";
import { MadeRecords } from "./records";

const POLICY = "default-src 'self'; img-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'";

export interface MockOptions {
  points: number;
  folder: string;
}

/** Counts, delays and failures that a test sets by `POST /mock`. */
interface Faults {
  /** The next so many requests for tiles fail. */
  failTiles: number;
  delay: number;
}

export function mockServer({ points, folder }: MockOptions): Plugin {
  const spaces = ["image", "caption", "joint"];
  const maps = spaces.map((space, i) => {
    const made = writeMap(points, i + 1);
    return { id: `map-${space}`, space, version: `v1-${space}`, base_url: `/maps/map-${space}/v1/`, count: points, ...made, records: new MadeRecords(made.points, made.rankOf) };
  });
  const faults: Faults = { failTiles: 0, delay: 0 };

  async function answer(request: IncomingMessage, response: ServerResponse, next: () => void): Promise<void> {
    const url = new URL(request.url ?? "/", "http://mock");
    const map = maps.find(({ id }) => url.pathname.includes(`/${id}/`));
    if (url.pathname === "/mock") return send(response, 204, "", await apply(request, faults));
    if (url.pathname === "/map") return send(response, 200, "text/html", mapPage(folder, maps));
    if (url.pathname === "/core") return send(response, 200, "text/html", corePage(folder));
    if (url.pathname === "/core.js") return send(response, 200, "text/javascript", await coreScript());
    if (url.pathname === "/empty") return send(response, 200, "text/html", mapPage(folder, []));
    if (url.pathname.startsWith("/pictures/")) return send(response, 200, "image/png", maps[0]!.records.picture(parseInt(url.pathname.slice(10)), url.search === "?large"));
    if (url.pathname.endsWith("/tags")) return json(response, { tags: [] });
    if (url.pathname.endsWith("/search")) return json(response, answerOf(searchIn(maps, await bodyOf(request)), points));
    if (url.pathname.endsWith("/searches")) return json(response, { searches: [] });
    if (!map) return next();
    const rest = url.pathname.slice(url.pathname.indexOf(map.id) + map.id.length + 1);
    if (rest === "records") return json(response, { records: url.searchParams.get("ordinals")!.split(",").map((ordinal) => map.records.at(Number(ordinal))) });
    const row = /^records\/(\d+)(\/neighbours)?$/.exec(rest);
    if (row) {
      const ordinal = map.records.ordinalOfRow(Number(row[1]));
      return json(response, row[2] ? { records: map.records.neighbours(ordinal) } : map.records.at(ordinal));
    }
    const before = /^v1\/from\/([^/]+)\/([\d-]+)\.bin$/.exec(rest);
    if (before) return send(response, 200, "application/octet-stream", placesBefore(map, maps.find(({ version }) => version === before[1])!, before[2]!));
    if (faults.delay) await new Promise((resolve) => setTimeout(resolve, faults.delay));
    const bytes = readBytes(map.files, rest.replace(/^v1\//, ""));
    if (rest.endsWith(".atm") && faults.failTiles > 0) {
      faults.failTiles--;
      return send(response, 500, "text/plain", "broken on purpose");
    }
    return bytes ? send(response, 200, "application/octet-stream", bytes) : send(response, 404, "text/plain", "no such file");
  }

  const use = (server: { middlewares: { use(handler: (request: IncomingMessage, response: ServerResponse, next: () => void) => void): void } }) => {
    server.middlewares.use((request, response, next) => void answer(request, response, next));
  };
  return { name: "mock-server", configureServer: use, configurePreviewServer: use };
}

type MockMap = { id: string; space: string; records: MadeRecords };

type MockHit = { row: number; ordinal: number | null; x: number | null; y: number | null; score: number };

function answerOf(found: MockHit[], searched: number): object {
  const hits = found.map((hit) => ({ ...hit, parts: [hit.score], words: null, sure: false }));
  const [best, last] = [hits[0]?.score ?? 1, hits.at(-1)?.score ?? 0];
  const relevant = Math.min(120, hits.length);
  const cut = hits[relevant - 1]?.score ?? null;
  const histogram = { from: last, to: best, counts: Array.from({ length: 64 }, (_, i) => 64 - i) };
  return { hits, relevant, searched, cut, mode: "best", away: false, without: null, histogram, marker: hits[0] ?? null };
}

function searchIn(maps: MockMap[], query: { map: string; parts: { text?: string; row?: number }[] }): MockHit[] {
  const { records } = maps.find(({ id }) => id === query.map)!;
  const [part] = query.parts;
  if (part?.text !== undefined) return records.search(part.text);
  const ordinal = records.ordinalOfRow(part!.row!);
  return records.neighbours(ordinal).map(({ row, ordinal, x, y, score }) => ({ row, ordinal, x, y, score }));
}

/** The records keep their ordinals from map to map here. */
function placesBefore(map: { files: Files }, other: { records: MadeRecords }, tile: string): Uint8Array {
  const header = new DataView(readBytes(map.files, `t/${tile}.atm`)!.slice(0, 12).buffer);
  const [count, start] = [header.getUint32(4, true), header.getUint32(8, true)];
  const places = Uint16Array.from({ length: 2 * count }, (_, i) => {
    const record = other.records.at(start + (i >> 1));
    return Math.round((i % 2 ? record.y : record.x) * 65534);
  });
  return new Uint8Array(places.buffer);
}

async function apply(request: IncomingMessage, faults: Faults): Promise<string> {
  Object.assign(faults, await bodyOf<Partial<Faults>>(request));
  return "";
}

async function bodyOf<T>(request: IncomingMessage): Promise<T> {
  let text = "";
  for await (const piece of request) text += String(piece);
  return JSON.parse(text) as T;
}

function mapPage(folder: string, maps: object[]): string {
  const entry = (name: string) => builtFiles(folder)[`src/pages/${name}.ts`]!;
  const config = {
    dataset: {
      id: "made",
      name: "Pomological watercolours",
      url: "/",
      slug: "watercolours",
      row_count: (maps[0] as { count: number }).count,
      columns: [],
      may_edit: false,
      may_tag: false,
      may_comment: false,
      hide_captions: false,
    },
    signed_in: false,
    search_urls: false,
    start: "",
    maps: maps.map((map) => {
      const { id, space, version, base_url, count } = map as Record<string, unknown>;
      return { id, space, version, layout: version, base_url, count, renamed: {} };
    }),
  };
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Map</title>
${styleLinks(folder)}
<script type="module" src="/${entry("site").file}"></script><script type="module" src="/${entry("map").file}"></script></head>
<body class="map-body"><a class="skip-link" href="#main">Skip to the map</a>
<header class="topbar"><a class="brand" href="/"><span class="brand-mark" aria-hidden="true"></span><span class="brand-name">Atlas</span></a>
<nav class="nav" aria-label="Main"><a href="/">Datasets</a></nav><div class="topbar-end"><button class="button quiet square" type="button" data-theme-toggle><span class="icon icon-moon" aria-hidden="true"></span></button></div></header>
<main class="map-app" id="main"></main><script type="application/json" id="config">${JSON.stringify(config)}</script></body></html>`;
}

/** The map core without the page round it. */
const corePage = (folder: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Map core</title>${styleLinks(folder)}</head>
<body class="map-body"><main class="map-app"><div class="map-stage"></div></main><script type="module" src="/core.js"></script></body></html>`;

async function coreScript(): Promise<string> {
  const entry = fileURLToPath(new URL("core.ts", import.meta.url));
  const lib = { entry, formats: ["es" as const] };
  const made = await build({ configFile: false, logLevel: "error", build: { write: false, target: "es2022", minify: false, lib } });
  const [{ output }] = made as unknown as [{ output: { code: string }[] }];
  return output[0]!.code;
}

function styleLinks(folder: string): string {
  const styles = Object.values(builtFiles(folder)).flatMap(({ css }) => css ?? []);
  return [...new Set(styles)].map((file) => `<link rel="stylesheet" href="/${file}">`).join("");
}

const builtFiles = (folder: string): Record<string, { file: string; css?: string[] }> =>
  JSON.parse(readFileSync(`${folder}/manifest.json`, "utf8")) as Record<string, { file: string; css?: string[] }>;

function json(response: ServerResponse, value: unknown): void {
  send(response, 200, "application/json", JSON.stringify(value));
}

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, { "Content-Type": type, "Content-Security-Policy": POLICY, "Cache-Control": "no-store" });
  response.end(body);
}
