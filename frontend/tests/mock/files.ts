/** Writes the files of a map version, after atlas/maps/FORMAT.md, so that the reader is tested against the text. */

import { crc32, deflateSync } from "node:zlib";
import type { Labels, Manifest, SheetIndex } from "../../src/map/manifest";
import { makePoints, type MadePoints } from "./points";

const CAPACITY = 16384;
const DEEPEST = 16;
const LOW = 8;
const SHEET_DEEPEST = 6;

/** Pictures are painted when they are asked for: it takes longer than all the rest. */
export type Files = Map<string, Uint8Array | (() => Uint8Array)>;

export function readBytes(files: Files, path: string): Uint8Array | null {
  const file = files.get(path);
  return typeof file === "function" ? file() : (file ?? null);
}

interface Node {
  z: number;
  x: number;
  y: number;
  /** Ranks of its points; the made points lie in order of rank. */
  kept: number[];
  mask: number;
}

export function writeMap(n: number, seed = 1): { files: Files; points: MadePoints; rankOf: Uint32Array } {
  const points = makePoints(n, seed);
  const files: Files = new Map();
  const nodes = n > 0 ? split(points) : [];
  const rankOf = new Uint32Array(n);
  const ordinalOf = new Uint32Array(n);
  let start = 0;
  for (const node of nodes) {
    node.kept = ordered(node.kept, points, node);
    node.kept.forEach((rank, i) => {
      rankOf[start + i] = rank;
      ordinalOf[rank] = start + i;
    });
    writeTile(files, node, points, start);
    start += node.kept.length;
  }
  json(files, "manifest.json", manifestOf(n, nodes));
  json(files, "labels.json", labelsOf(points));
  json(files, "c/artist/values.json", valuesOf(points));
  json(files, "c/year/values.json", histogramOf(points));
  writeSheets(files, points, ordinalOf);
  return { files, points, rankOf };
}

function split(points: MadePoints): Node[] {
  const nodes: Node[] = [];
  let level: { z: number; x: number; y: number; ranks: number[] }[] = [
    { z: 0, x: 0, y: 0, ranks: Array.from({ length: points.n }, (_, i) => i) },
  ];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { z, x, y, ranks } of level) {
      const kept = z === DEEPEST ? ranks : ranks.slice(0, CAPACITY);
      const children: number[][] = [[], [], [], []];
      for (const rank of ranks.slice(kept.length)) {
        const q = (Math.floor(points.x[rank]! * 2 ** (z + 1)) & 1) | ((Math.floor(points.y[rank]! * 2 ** (z + 1)) & 1) << 1);
        children[q]!.push(rank);
      }
      let mask = 0;
      children.forEach((ranks, q) => {
        if (ranks.length === 0) return;
        mask |= 1 << q;
        next.push({ z: z + 1, x: 2 * x + (q & 1), y: 2 * y + (q >> 1), ranks });
      });
      nodes.push({ z, x, y, kept, mask });
    }
    level = next;
  }
  return nodes;
}

const octaveOf = (rank: number, n: number): number => {
  for (let j = 15; j > 0; j--) if (rank < n >> j) return j;
  return 0;
};

function ordered(ranks: number[], points: MadePoints, node: Node): number[] {
  const morton = (rank: number) => {
    const [hx, hy] = step(points, rank, node);
    let code = 0;
    for (let bit = 0; bit < 16; bit++) code += ((hx >> bit) & 1) * 4 ** bit + ((hy >> bit) & 1) * 2 * 4 ** bit;
    return code;
  };
  const keys = new Map(ranks.map((rank) => [rank, morton(rank)]));
  return [...ranks].sort((a, b) => octaveOf(b, points.n) - octaveOf(a, points.n) || keys.get(a)! - keys.get(b)!);
}

/** Position in the tile in steps, with the fraction in 256ths. */
function step(points: MadePoints, rank: number, { z, x, y }: Node): [number, number, number, number] {
  const fx = (points.x[rank]! * 2 ** z - x) * 65536;
  const fy = (points.y[rank]! * 2 ** z - y) * 65536;
  return [Math.floor(fx), Math.floor(fy), Math.floor((fx % 1) * 256), Math.floor((fy % 1) * 256)];
}

function writeTile(files: Files, node: Node, points: MadePoints, start: number): void {
  const count = node.kept.length;
  const bytes = new Uint8Array(80 + 5 * count);
  const low = new Uint8Array(2 * count);
  const artist = new Uint8Array(count);
  const year = new Uint16Array(count);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("ATM1"));
  view.setUint32(4, count, true);
  view.setUint32(8, start, true);
  view.setUint32(12, node.z, true);
  for (let j = 0; j < 16; j++) view.setUint32(16 + 4 * j, node.kept.filter((rank) => rank < points.n >> j).length, true);
  node.kept.forEach((rank, i) => {
    const [hx, hy, lx, ly] = step(points, rank, node);
    view.setUint16(80 + 4 * i, hx, true);
    view.setUint16(82 + 4 * i, hy, true);
    bytes[80 + 4 * count + i] = points.topic[rank]!;
    low.set([lx, ly], 2 * i);
    artist[i] = points.artist[rank]!;
    year[i] = points.year[rank]!;
  });
  const name = `${node.z}-${node.x}-${node.y}`;
  files.set(`t/${name}.atm`, bytes);
  if (node.z < LOW) files.set(`t/${name}.low`, low);
  files.set(`c/artist/${name}.bin`, artist);
  files.set(`c/year/${name}.bin`, new Uint8Array(year.buffer));
}

function manifestOf(n: number, nodes: Node[]): Manifest {
  return {
    format: "ATM1",
    n,
    low: LOW,
    embedded: "topic-0",
    frame: { x: 0, y: 0, side: 10 },
    tiles: {
      count: nodes.map((node) => node.kept.length),
      children: nodes.map((node) => node.mask),
      rank: nodes.map((node) => node.kept.reduce((a, b) => Math.min(a, b), Infinity)),
    },
    columns: [
      { key: "topic-0", name: "Topic", kind: "topic", type: "u8", missing: 255 },
      { key: "artist", name: "Artist", kind: "category", type: "u8", missing: 255, size: 30 },
      { key: "year", name: "Year", kind: "number", type: "u16", missing: 65535, min: 1501, max: 1999, scale: "linear" },
    ],
  };
}

function labelsOf(points: MadePoints): Labels {
  const topics = points.clusters.map(({ x, y, name, count }, id) => ({
    id,
    level: 0,
    parent: null,
    name,
    x,
    y,
    w: 18 + 8.6 * name.length,
    h: 22,
    k0: 0,
    k1: null,
    count,
    row: id,
    ordinal: id,
  }));
  // Larger topics first; a label waits until it is clear of all before it.
  const placed: typeof topics = [];
  for (const topic of [...topics].sort((a, b) => b.count - a.count)) {
    topic.k0 = Math.max(0, ...placed.map((other) => clearFrom(topic, other)));
    placed.push(topic);
  }
  return { levels: 1, topics };
}

type Label = { x: number; y: number; w: number; h: number; k0: number };

function clearFrom(a: Label, b: Label): number {
  const apart = Math.min((a.w + b.w) / 2 / Math.abs(a.x - b.x), (a.h + b.h) / 2 / Math.abs(a.y - b.y)) / 1024;
  return Math.max(apart, 0);
}

function valuesOf(points: MadePoints): unknown {
  const counts = new Array<number>(30).fill(0);
  for (const code of points.artist) counts[code]!++;
  return { values: counts.map((_, i) => `Artist ${String.fromCharCode(65 + (i % 26))}. <b>Nº ${i + 1}</b>`), counts, missing: 0 };
}

function histogramOf(points: MadePoints): unknown {
  const histogram = new Array<number>(64).fill(0);
  let missing = 0;
  for (const code of points.year) {
    if (code === 65535) missing++;
    else histogram[Math.floor((code * 64) / 65535)]!++;
  }
  return { histogram, missing };
}

function writeSheets(files: Files, points: MadePoints, ordinalOf: Uint32Array): void {
  const index: SheetIndex = { size: 64, cells: 16, sheets: { count: [], children: [] } };
  let level = points.n > 0 ? [{ z: 0, x: 0, y: 0, ranks: Array.from({ length: points.n }, (_, i) => i) }] : [];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { z, x, y, ranks } of level) {
      const cells = new Map<number, number>();
      const children: number[][] = [[], [], [], []];
      const size = 2 ** z;
      for (const rank of ranks) {
        const fx = points.x[rank]! * size - x;
        const fy = points.y[rank]! * size - y;
        const cell = Math.floor(fx * 16) + 16 * Math.floor(fy * 16);
        if (!cells.has(cell)) cells.set(cell, rank);
        children[(fx >= 0.5 ? 1 : 0) | (fy >= 0.5 ? 2 : 0)]!.push(rank);
      }
      writeSheet(files, { z, x, y }, points, cells, ordinalOf);
      const deeper = z < SHEET_DEEPEST && ranks.length > cells.size;
      let mask = 0;
      children.forEach((ranks, q) => {
        if (!deeper || ranks.length === 0) return;
        mask |= 1 << q;
        next.push({ z: z + 1, x: 2 * x + (q & 1), y: 2 * y + (q >> 1), ranks });
      });
      index.sheets.count.push(cells.size);
      index.sheets.children.push(mask);
    }
    level = next;
  }
  json(files, "thumbs/index.json", index);
}

function writeSheet(
  files: Files,
  { z, x, y }: { z: number; x: number; y: number },
  points: MadePoints,
  cells: Map<number, number>,
  ordinalOf: Uint32Array,
): void {
  const inOrder = [...cells].sort(([a], [b]) => a - b);
  const records = new DataView(new ArrayBuffer(12 * inOrder.length));
  const rows = Math.ceil(inOrder.length / 16);
  const size = (rank: number) => [rank % 3 === 0 ? 48 : 64, rank % 3 === 1 ? 44 : 64] as const;
  inOrder.forEach(([cell, rank], i) => {
    const [width, height] = size(rank);
    records.setUint32(12 * i, ordinalOf[rank]!, true);
    records.setUint16(12 * i + 4, Math.floor((points.x[rank]! * 2 ** z - x) * 65536), true);
    records.setUint16(12 * i + 6, Math.floor((points.y[rank]! * 2 ** z - y) * 65536), true);
    records.setUint8(12 * i + 8, cell);
    records.setUint8(12 * i + 9, width);
    records.setUint8(12 * i + 10, height);
  });
  files.set(`thumbs/${z}-${x}-${y}.idx`, new Uint8Array(records.buffer));
  // A PNG under the name of a WebP: browsers look at the bytes, and node can write this one.
  files.set(`thumbs/${z}-${x}-${y}.webp`, () => {
    const pixels = new Uint8Array(1024 * 64 * rows * 4);
    inOrder.forEach(([, rank], i) => {
      paint(pixels, 1024, (i % 16) * 64, Math.floor(i / 16) * 64, ...size(rank), rank, points.topic[rank]!);
    });
    return png(1024, 64 * rows, pixels);
  });
}

/** A round fruit on a plain ground, its colours from topic and rank. */
export function paint(
  pixels: Uint8Array,
  stride: number,
  left: number,
  top: number,
  width: number,
  height: number,
  rank: number,
  topic: number,
): void {
  const hue = (topic * 47) % 360;
  const ground = hsl(hue + 160, 0.16, 0.86 - (rank % 5) * 0.03);
  const fruit = hsl(hue + (rank % 7) * 4, 0.6, 0.48);
  const radius = Math.min(width, height) * (0.26 + 0.02 * (rank % 6));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const away = Math.hypot(x - width / 2, y - height / 2);
      const light = 1 + 0.45 * (1 - Math.hypot(x - width / 2 + radius / 3, y - height / 2 + radius / 3) / radius);
      const colour = away < radius ? fruit.map((part) => Math.min(255, part * Math.max(0.55, light))) : ground;
      pixels.set([...colour, 255], 4 * ((top + y) * stride + left + x));
    }
  }
}

function hsl(hue: number, saturation: number, lightness: number): number[] {
  const a = saturation * Math.min(lightness, 1 - lightness);
  return [0, 8, 4].map((n) => {
    const k = (n + (((hue % 360) + 360) % 360) / 30) % 12;
    return 255 * (lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  });
}

export function png(width: number, height: number, rgba: Uint8Array): Uint8Array {
  const raw = Buffer.alloc((width * 4 + 1) * height);
  for (let y = 0; y < height; y++) raw.set(rgba.subarray(y * width * 4, (y + 1) * width * 4), y * (width * 4 + 1) + 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6, 0, 0, 0], 8);
  const parts = [Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", header), chunk("IDAT", deflateSync(raw, { level: 1 })), chunk("IEND", Buffer.alloc(0))];
  return new Uint8Array(Buffer.concat(parts));
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "ascii"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

function json(files: Files, path: string, value: unknown): void {
  files.set(path, new TextEncoder().encode(JSON.stringify(value)));
}
