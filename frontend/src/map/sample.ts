/** Which tiles, and how much of each, a view shows; asks the store for what is missing. */

import type { Budget } from "./budget";
import { Counting, FEW, type Counted } from "./counting";
import { coveringTiles } from "./cover";
import { octave, pointSize, prefix, sampleSize } from "./lod";
import type { Tile } from "./manifest";
import type { Marks } from "./marks";
import type { DrawnTile } from "./points_pass";
import type { TileStore } from "./store";
import { zoomOf, type Viewport } from "./viewport";

/** So many points are fetched and looked through, at most, for the few among them that count. */
const SIFTED = 2_000_000;

/** Octaves of a view. */
interface Octaves {
  /** Of all points: every tile is there to its end. */
  all: number;
  /** Of those that no filter hides, and of those of them that do not stand back: only tiles that hold some are there. */
  visible: number;
  lit: number;
}

export class Sampler {
  private readonly counting: Counting;

  constructor(
    private readonly store: TileStore,
    private readonly marks: Marks,
    private readonly budget: Budget,
  ) {
    this.counting = new Counting(store, marks);
  }

  /** What the view needs, most urgent first. */
  tiles(view: Viewport): Tile[] {
    return this.tilesOf(view, this.octaves(view));
  }

  choose(view: Viewport): DrawnTile[] {
    const { store, marks } = this;
    const octaves = this.octaves(view);
    const chosen = this.tilesOf(view, octaves);
    store.want(chosen, marks.codes ? null : (marks.colouredBy?.key ?? null), view.scale);
    const { visible } = this.counting.now();
    return chosen.flatMap((tile) => {
      const points = store.loaded.get(tile);
      if (!points || !visible.holds(tile)) return [];
      const lit = octaves.lit < octaves.visible ? { lit: prefix(points.cuts, octaves.lit) } : {};
      return [{ points, prefix: prefix(points.cuts, octaves.visible), ...lit }];
    });
  }

  /** Diameter of a point in CSS pixels. */
  size(view: Viewport): number {
    return pointSize(this.store.manifest.n * this.marks.part, this.base(view), view.scale);
  }

  private tilesOf(view: Viewport, { all, visible, lit }: Octaves): Tile[] {
    const counting = this.counting.now();
    const found = this.covering(view, all);
    if (visible < all) found.push(...this.covering(view, visible).filter(counting.visible.holds));
    if (lit < visible) found.push(...this.covering(view, lit).filter(counting.lit.holds));
    return [...new Set(found)];
  }

  private covering(view: Viewport, octave: number): Tile[] {
    const { n, tiles } = this.store.manifest;
    // Up to the end of the fading octave: a tile left out would be a square hole in it.
    return coveringTiles(this.store.tiles, tiles.rank, view, n / 2 ** Math.floor(octave));
  }

  private base(view: Viewport): number {
    return sampleSize(this.budget.points, zoomOf(view));
  }

  private octaves(view: Viewport): Octaves {
    const { n } = this.store.manifest;
    const { visible, lit } = this.counting.now();
    // What stands back is there too, as the ground of what counts.
    const raise = Math.min(FEW, n / Math.min(visible.count || n, this.marks.flags.selected || n));
    const all = octave(n, this.base(view) * raise);
    const shown = Math.min(all, this.reach(view, visible));
    return { all, visible: shown, lit: this.marks.divided ? Math.min(shown, this.reach(view, lit)) : shown };
  }

  /** How deep the few that count can be had: as many of them as there would be of all points, if that is not too much to look through. */
  private reach(view: Viewport, { count, holds }: Counted): number {
    const { n } = this.store.manifest;
    if (count * FEW >= n) return Infinity;
    const cost = (octave: number): number => this.covering(view, octave).reduce((sum, tile) => sum + (holds(tile) ? tile.count : 0), 0);
    let deep = octave(n, (this.base(view) * n) / Math.max(1, count));
    while (deep < 15 && cost(deep) > SIFTED) deep = Math.floor(deep) + 1;
    return deep;
  }
}
