/** Which points count, and which tiles hold them: where few do, the sample must not lose them. */

import type { Tile } from "./manifest";
import type { Marks } from "./marks";
import type { TileStore } from "./store";

export interface Counted {
  count: number;
  holds: (tile: Tile) => boolean;
}

/** Where more than one of so many counts, the sample of all shows enough of them. */
export const FEW = 4;

export class Counting {
  private of: readonly unknown[] = [];
  private known: { visible: Counted; lit: Counted } | null = null;

  constructor(
    private readonly store: Pick<TileStore, "tiles" | "loaded" | "manifest">,
    private readonly marks: Marks,
  ) {}

  /** The points that no filter hides, and those of them that do not stand back. */
  now(): { visible: Counted; lit: Counted } {
    const { flags, codes, legend } = this.marks;
    const of = [flags.revision, codes, legend, this.sample()];
    if (!this.known || of.some((each, i) => each !== this.of[i])) this.known = { visible: this.visible(), lit: this.lit() };
    this.of = of;
    return this.known;
  }

  private visible(): Counted {
    const { flags } = this.marks;
    const count = this.n - flags.hidden;
    return this.isFew(count) ? this.tally((ordinal) => !flags.isHidden(ordinal)) : this.everywhere(count);
  }

  private lit(): Counted {
    const { marks, n } = this;
    const { flags, codes, legend } = marks;
    if (flags.selected > 0 && this.isFew(flags.selected)) return this.tally((ordinal) => flags.isSelected(ordinal) && !flags.isHidden(ordinal));
    if (codes) return this.tally((ordinal) => marks.isShownCode(codes.values[ordinal]!) && !flags.isHidden(ordinal));
    return this.everywhere(legend ? n * this.share() : n);
  }

  /** The codes of a column are known where its tiles are; the first is a sample of all points. */
  private share(): number {
    const codes = this.sample();
    if (!codes || codes.length === 0) return 1;
    let shown = 0;
    for (const code of codes) if (this.marks.isShownCode(code)) shown++;
    return Math.max(shown, 0.5) / codes.length;
  }

  private sample(): ArrayLike<number> & Iterable<number> | null {
    const { loaded, tiles } = this.store;
    const { colouredBy } = this.marks;
    return (colouredBy && tiles[0] && loaded.get(tiles[0])?.columns.get(colouredBy.key)) ?? null;
  }

  private get n(): number {
    return this.store.manifest.n;
  }

  private isFew(count: number): boolean {
    return count * FEW < this.n;
  }

  private everywhere(count: number): Counted {
    return { count, holds: () => true };
  }

  private tally(counts: (ordinal: number) => boolean): Counted {
    const tiles = new Set<Tile>();
    let count = 0;
    for (const tile of this.store.tiles) {
      const before = count;
      for (let ordinal = tile.start; ordinal < tile.start + tile.count; ordinal++) if (counts(ordinal)) count++;
      if (count > before) tiles.add(tile);
    }
    return { count, holds: (tile) => tiles.has(tile) };
  }
}
