/**
 * Where the camera is, and the way between world and screen.
 *
 * World: the unit square, y up. Screen: CSS pixels from the upper left corner, y down. All of it in float64: the GPU
 * only ever sees differences to the camera, so that a zoom of 20,000 stays exact.
 */

export interface Viewport {
  /** World point in the middle of the screen. */
  x: number;
  y: number;
  /** CSS pixels that the side of the world covers. */
  scale: number;
  /** Size of the screen in CSS pixels. */
  width: number;
  height: number;
}

export interface WorldPoint {
  x: number;
  y: number;
}

export interface Camera {
  x: number;
  y: number;
  /** Zoom: scale / 1024. */
  k: number;
}

export interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

const WORLD: Box = { x0: 0, y0: 0, x1: 1, y1: 1 };
export const MAX_ZOOM = 20_000;
const REFERENCE = 1024;
const MARGIN = 0.92;

export const zoomOf = (view: Viewport): number => view.scale / REFERENCE;
export const scaleOf = (k: number): number => k * REFERENCE;

export function toScreen(view: Viewport, x: number, y: number): [number, number] {
  return [(x - view.x) * view.scale + view.width / 2, (view.y - y) * view.scale + view.height / 2];
}

export function toWorld(view: Viewport, sx: number, sy: number): [number, number] {
  return [view.x + (sx - view.width / 2) / view.scale, view.y - (sy - view.height / 2) / view.scale];
}

/** The part of the world on the screen. */
export function visibleBox(view: Viewport): Box {
  const halfWidth = view.width / 2 / view.scale;
  const halfHeight = view.height / 2 / view.scale;
  return { x0: view.x - halfWidth, y0: view.y - halfHeight, x1: view.x + halfWidth, y1: view.y + halfHeight };
}

export function panned(view: Viewport, dx: number, dy: number): Viewport {
  return clamped({ ...view, x: view.x - dx / view.scale, y: view.y + dy / view.scale });
}

/** Zooms by `factor`; the world point under (sx, sy) stays there. */
export function zoomedAt(view: Viewport, sx: number, sy: number, factor: number): Viewport {
  const scale = clampedScale(view, view.scale * factor);
  const [x, y] = toWorld(view, sx, sy);
  return clamped({
    ...view,
    scale,
    x: x - (sx - view.width / 2) / scale,
    y: y + (sy - view.height / 2) / scale,
  });
}

/** Pixels at the edges of the screen that something covers. */
export interface Inset {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export const UNCOVERED: Inset = { left: 0, top: 0, right: 0, bottom: 0 };

/** A box smaller than this is shown as one of this size: a single point has none. */
const SMALLEST = 1 / (MAX_ZOOM * 4);

/** The view that shows all of `box`, with a margin, in the part of the screen that nothing covers. */
export function fitted(width: number, height: number, box: Box = WORLD, inset: Inset = UNCOVERED): Viewport {
  const across = Math.max(width - inset.left - inset.right, 1) / Math.max(box.x1 - box.x0, SMALLEST);
  const down = Math.max(height - inset.top - inset.bottom, 1) / Math.max(box.y1 - box.y0, SMALLEST);
  const scale = MARGIN * Math.min(across, down);
  const x = (box.x0 + box.x1) / 2 - (inset.left - inset.right) / 2 / scale;
  const y = (box.y0 + box.y1) / 2 + (inset.top - inset.bottom) / 2 / scale; // y points up
  return clamped({ x, y, scale, width, height });
}

export function clamped(view: Viewport): Viewport {
  return { ...view, scale: clampedScale(view, view.scale), x: clamp(view.x, 0, 1), y: clamp(view.y, 0, 1) };
}

function clampedScale(view: Viewport, scale: number): number {
  const smallest = Math.min(view.width, view.height) * 0.5;
  return clamp(scale, Math.min(smallest, REFERENCE), MAX_ZOOM * REFERENCE);
}

export const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
