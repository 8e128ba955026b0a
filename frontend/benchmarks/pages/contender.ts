/** What every contender offers to the one who measures, and how a page is timed. */

export interface Contender {
  /** Points that one frame draws at most, now. */
  drawn(): number;
  /** World place (unit square, y up) in the middle, and CSS pixels for the side of the world. */
  camera(x: number, y: number, scale: number): void;
  highlight(ordinals: number[]): void;
  /** What lies at a pixel. */
  pick(x: number, y: number): unknown;
  /** Waits until the GPU, here a program too, has done all it was given. */
  settle(): void;
}

export interface FirstPaint {
  ms: number;
  bytes: number;
  /** Of them those of the list of tiles, which alone grows with the map. */
  manifest: number;
  requests: number;
}

declare global {
  interface Window {
    started: Promise<FirstPaint>;
    contender: Contender;
    pan: typeof pan;
    highlight: typeof highlight;
    pick: typeof pick;
  }
}

/** Milliseconds of script by frame: all that ran in callbacks of requestAnimationFrame with the same time stamp. */
const frames = new Map<number, number>();
const request = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (callback) =>
  request((now) => {
    const start = performance.now();
    callback(now);
    frames.set(now, (frames.get(now) ?? 0) + performance.now() - start);
  });

const nextFrame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));

/** Reading a pixel waits for all that was drawn before. */
export function settleWebGL(canvas: HTMLCanvasElement): void {
  const gl = canvas.getContext("webgl2")!;
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
}

const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Moves sideways by a few pixels a frame. */
async function pan(scale: number, count: number): Promise<{ frames: number; script: number[]; drawn: number }> {
  const { contender } = window;
  window.contender.settle();
  await nextFrame();
  frames.clear();
  for (let i = 0; i < count; i++) {
    await new Promise<void>((resolve) =>
      requestAnimationFrame(() => {
        contender.camera(0.45 + (5 * i) / scale, 0.55, scale);
        resolve();
      }),
    );
  }
  await nextFrame();
  window.contender.settle();
  return { frames: count, script: [...frames.values()], drawn: contender.drawn() };
}

/** Milliseconds of the call and of the frame that shows it. */
async function highlight(ordinals: number[]): Promise<{ call: number; frame: number }> {
  window.contender.settle();
  await rest(200);
  frames.clear();
  const start = performance.now();
  window.contender.highlight(ordinals);
  const call = performance.now() - start;
  await nextFrame();
  await nextFrame();
  const frame = Math.max(...frames.values());
  window.contender.settle();
  return { call, frame };
}

/** One by one, for the longest; the clock is too coarse for the mean, which is that of all together. */
async function pick(places: [number, number][]): Promise<{ mean: number; most: number; longest: number }> {
  const { contender } = window;
  const times: number[] = [];
  for (const [x, y] of places) {
    const start = performance.now();
    contender.pick(x, y);
    times.push(performance.now() - start);
    if (times.length % 20 === 0) await rest(0);
  }
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  times.sort((a, b) => a - b);
  return { mean, most: times[Math.floor(0.99 * (times.length - 1))]!, longest: times.at(-1)! };
}

/** Call it in the moment in which the first picture is there. */
export function firstPaint(): FirstPaint {
  const now = performance.now();
  const data = performance
    .getEntriesByType("resource")
    .filter(({ name }) => /\/(maps|points)\//.test(new URL(name).pathname)) as PerformanceResourceTiming[];
  const here = data.filter(({ responseEnd }) => responseEnd > 0 && responseEnd <= now);
  const sum = (files: PerformanceResourceTiming[]) => files.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
  return { ms: now, bytes: sum(here), manifest: sum(here.filter(({ name }) => name.endsWith("/manifest.json"))), requests: here.length };
}

Object.assign(window, { pan, highlight, pick });

export const wanted = new URLSearchParams(location.search);

/** Positions (x, y in turn, unit square) and codes of all points, as the contenders without tiles need them. */
export async function allPoints(): Promise<{ positions: Float32Array; codes: Uint8Array }> {
  const folder = `/points/${wanted.get("points")}`;
  const [positions, codes] = await Promise.all(["points.bin", "codes.bin"].map(async (name) => (await fetch(`${folder}/${name}`)).arrayBuffer()));
  return { positions: new Float32Array(positions!), codes: new Uint8Array(codes!) };
}
