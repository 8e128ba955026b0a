/** Which tiles, and how much of each, a view shows; asks the store for what is missing. */

import type { Budget } from "./budget";
import { coveringTiles } from "./cover";
import { octave, pointSize, prefix, sampleSize } from "./lod";
import type { Tile } from "./manifest";
import type { Marks } from "./marks";
import type { DrawnTile } from "./points_pass";
import type { TileStore } from "./store";
import { zoomOf, type Viewport } from "./viewport";

/** A filter or selection may raise the sample this much, so that the few points that count are not lost in the rest. */
const MOST = 4;

export class Sampler {
  constructor(
    private readonly store: TileStore,
    private readonly marks: Marks,
    private readonly budget: Budget,
  ) {}

  /** What the view needs, most urgent first. */
  tiles(view: Viewport): Tile[] {
    const { n, tiles } = this.store.manifest;
    // Up to the end of the fading octave: a tile left out would be a square hole in it.
    return coveringTiles(this.store.tiles, tiles.rank, view, n / 2 ** Math.floor(this.octave(view)));
  }

  choose(view: Viewport): DrawnTile[] {
    const { store } = this;
    const chosen = this.tiles(view);
    const o = this.octave(view);
    store.want(chosen, this.marks.codes ? null : (this.marks.colouredBy?.key ?? null), view.scale);
    return chosen.flatMap((tile) => {
      const points = store.loaded.get(tile);
      return points ? [{ points, prefix: prefix(points.cuts, o) }] : [];
    });
  }

  /** Diameter of a point in CSS pixels. */
  size(view: Viewport): number {
    return pointSize(this.store.manifest.n * this.marks.part, this.base(view), view.scale);
  }

  private base(view: Viewport): number {
    return sampleSize(this.budget.points, zoomOf(view));
  }

  private octave(view: Viewport): number {
    return octave(this.store.manifest.n, this.base(view) * this.raise());
  }

  private raise(): number {
    const { selected, hidden } = this.marks.flags;
    const { n } = this.store.manifest;
    const count = Math.min(selected || n, n - hidden || n);
    return Math.min(MOST, n / count);
  }
}
