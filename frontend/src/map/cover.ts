/** Which tiles a view needs, nearest to its centre first within a level, coarse levels first. */

import { meets, tileBox, type Tile } from "./manifest";
import { visibleBox, type Viewport } from "./viewport";

export function coveringTiles(tiles: Tile[], rank: number[], view: Viewport, sample: number): Tile[] {
  const root = tiles[0];
  if (!root) return [];
  const screen = visibleBox(view);
  const found: Tile[] = [];
  const visit = (tile: Tile): void => {
    if (rank[tile.index]! >= sample || !meets(tileBox(tile), screen)) return;
    found.push(tile);
    tile.children.forEach(visit);
  };
  visit(root);
  return found.sort((a, b) => a.z - b.z || distance(a, view) - distance(b, view));
}

/** Every tile that meets a box, at every level. */
export function tilesIn(tiles: Tile[], box: { x0: number; y0: number; x1: number; y1: number }): Tile[] {
  const root = tiles[0];
  const found: Tile[] = [];
  const visit = (tile: Tile): void => {
    if (!meets(tileBox(tile), box)) return;
    found.push(tile);
    tile.children.forEach(visit);
  };
  if (root) visit(root);
  return found;
}

function distance(tile: Tile, view: Viewport): number {
  const side = 2 ** -tile.z;
  return Math.hypot((tile.x + 0.5) * side - view.x, (tile.y + 0.5) * side - view.y);
}
