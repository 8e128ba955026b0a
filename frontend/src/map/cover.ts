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

function distance(tile: Tile, view: Viewport): number {
  const side = 2 ** -tile.z;
  return Math.hypot((tile.x + 0.5) * side - view.x, (tile.y + 0.5) * side - view.y);
}
