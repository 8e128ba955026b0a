/** What counts on the map and what stands back: selection, filter, hits, glow and the colours of the legend. */

import { Flags } from "./flags";
import type { Hit } from "./hits_pass";
import type { Column } from "./manifest";
import type { Codes } from "./tile";

/** Values by ordinal; a new revision tells a tile that its copy is old. */
export interface PerPoint {
  values: Codes;
  revision: number;
}

/** How codes that are no column of the files are coloured. */
export type CodesLook = Pick<Column, "missing" | "colours" | "several">;

/** How a column of the files is coloured, where not as its files say. */
export type ColumnLook = Partial<Pick<Column, "ramp" | "colours" | "like">>;

/** From this byte of the glow on a point counts. */
const GLOW_CUT = 128;

export class Marks {
  readonly flags: Flags;
  glow: PerPoint | null = null;
  codes: PerPoint | null = null;
  hits: Hit[] = [];
  searching = false;
  private column: Column | null = null;
  private shownCodes: ((code: number) => boolean) | null = null;
  private ownColumn: Column | null = null;
  private hitOrdinals = new Set<number>();
  private revision = 0;

  constructor(
    private readonly n: number,
    /** The code of a point in a column of the files, null while it is not loaded. */
    private readonly codeIn: (column: Column, ordinal: number) => number | null,
  ) {
    this.flags = new Flags(n);
  }

  setHits(hits: Hit[], searching: boolean): void {
    this.hits = hits;
    this.searching = searching;
    this.hitOrdinals = new Set(hits.map((hit) => hit.ordinal));
  }

  setGlow(bytes: Uint8Array | null): void {
    this.glow = bytes && { values: this.checked(bytes), revision: ++this.revision };
  }

  setCodes(codes: Codes | null, look: CodesLook): void {
    this.codes = codes && { values: this.checked(codes), revision: ++this.revision };
    const type = codes?.BYTES_PER_ELEMENT === 2 ? "u16" : "u8";
    this.ownColumn = codes && { key: "", name: "", kind: "category", type, ...look };
  }

  setColumn(column: Column | null, shown: ((code: number) => boolean) | null): void {
    this.column = column;
    this.shownCodes = shown;
  }

  /** What colours the points: codes that were handed in go before a column of the files. */
  get colouredBy(): Column | null {
    return this.ownColumn ?? this.column;
  }

  /** What the legend leaves, or null where it leaves all. */
  get legend(): ((code: number) => boolean) | null {
    return this.shownCodes;
  }

  /** Among codes that were handed in those without a value never count: they would cover the few that have one. */
  isShownCode(code: number): boolean {
    return code !== this.ownColumn?.missing && (this.shownCodes?.(code) ?? true);
  }

  /** Whether only some points count, so that the others are drawn below them. */
  get divided(): boolean {
    return this.glow !== null || this.flags.selected > 0 || (this.lit !== "none" && this.hasLegend);
  }

  private get hasLegend(): boolean {
    return this.shownCodes !== null || this.codes !== null;
  }

  /** Which points count besides those of the glow and the legend. */
  get lit(): "all" | "selected" | "none" {
    if (this.flags.selected > 0) return "selected";
    return this.searching && !this.glow ? "none" : "all";
  }

  /** The part of all points that a view has to show: 1 = all of them. */
  get part(): number {
    return this.n === 0 ? 1 : (this.n - this.flags.hidden) / this.n;
  }

  /** Hits that no filter hides, best first. */
  get visibleHits(): Hit[] {
    return this.flags.hidden > 0 ? this.hits.filter(({ ordinal }) => this.isVisible(ordinal)) : this.hits;
  }

  isVisible(ordinal: number): boolean {
    return !this.flags.isHidden(ordinal);
  }

  isHit(ordinal: number): boolean {
    return this.searching && this.hitOrdinals.has(ordinal);
  }

  isLit(ordinal: number): boolean {
    if (this.isHit(ordinal)) return true;
    if (this.flags.selected > 0 && !this.flags.isSelected(ordinal)) return false;
    if (this.glow && this.glow.values[ordinal]! < GLOW_CUT) return false;
    return this.lit !== "none" && this.isShown(ordinal);
  }

  private isShown(ordinal: number): boolean {
    if (!this.hasLegend) return true;
    const code = this.codes ? this.codes.values[ordinal]! : this.column && this.codeIn(this.column, ordinal);
    return code === null || this.isShownCode(code);
  }

  private checked(values: Codes): Codes {
    if (values.length !== this.n) throw new RangeError(`${values.length} values were given for ${this.n} points.`);
    return values;
  }
}
