/** How the map looks: its colours and their legend, pictures, topic names. */

import { tagCodes } from "../api/select";
import type { Filter } from "../filters";
import { filterOfLegend, filterOfRow, hiddenCodes, hiddenNames, legendRows, shownCodes, soloed, tagRows, TAGS, tagsColumn, toggled, type LegendRow } from "../legend";
import type { Column, Ramp, Values } from "../map/manifest";
import type { PictureMode } from "../map/thumbnails";
import type { OpenedMap } from "../open_map";
import { currentTheme, onThemeChange } from "../site/theme";
import type { Link, Off } from "../url";
import type { Stage } from "./stage.svelte";
import type { Tags } from "./tags.svelte";

export interface ColourChoice {
  hidden: number[];
  range: [number, number] | null;
  ramp: Ramp | null;
  /** To be hidden too once the legend knows their codes. */
  off?: Off[];
}

export class Look {
  theme = $state(currentTheme());

  colour = $state<string | null>(null);
  values = $state.raw<Values | null>(null);
  hidden = $state.raw<ReadonlySet<number>>(new Set());
  range = $state.raw<[number, number] | null>(null);
  /** How the colours of numbers are laid out, where not as they are stored. */
  ramp = $state<Ramp | null>(null);
  /** What a link has switched off, until the legend knows their codes. */
  private wished: Off[] = [];
  /** Points with several tags. */
  private several = $state(0);

  /** Whether one colour for all was asked for. */
  private plain = false;

  hasPictures = $state(false);
  pictures = $state<PictureMode>("auto");
  labels = $state(true);

  readonly column: Column | null = $derived.by(() => {
    if (this.colour === TAGS) return tagsColumn(this.tags.all);
    const column = this.stage.columns.find(({ key }) => key === this.colour);
    return column ? { ...column, ...(this.ramp ? { ramp: this.ramp } : {}) } : null;
  });
  readonly legend: LegendRow[] = $derived.by(() => {
    if (!this.column) return [];
    if (this.colour === TAGS) return tagRows(this.tags.all, this.several, this.theme);
    return legendRows(this.column, this.values, this.stage.topics, this.stage.view.n, this.theme);
  });
  /** Which records the legend leaves; null = all. */
  readonly filter: Filter | null = $derived.by(() =>
    this.column ? filterOfLegend(this.column, this.legend, this, this.stage.entry) : null,
  );

  constructor(
    private readonly stage: Stage,
    private readonly tags: Tags,
  ) {
    onThemeChange((theme) => (this.theme = theme));
  }

  adopt(map: OpenedMap): void {
    const { view, manifest } = map;
    const { plain } = this;
    const key = this.column?.key ?? manifest.embedded ?? manifest.columns[0]?.key ?? null;
    this.setColour(plain ? null : key, { ramp: this.ramp });
    this.plain = plain;
    view.showLabels(this.labels);
    this.stage.ask(map, "The topic names could not be loaded.", map.labels, (labels) => {
      this.stage.topics = labels.topics;
      view.setLabels(labels);
      if (this.hidden.size > 0) this.apply();
    });
    if (!map.drawn) return;
    this.stage.ask(map, "The pictures could not be loaded.", map.sheets, (index) => {
      view.pictures.setSheets(index);
      view.pictures.show(this.pictures);
      this.hasPictures = view.pictures.any;
    });
  }

  setColour(key: string | null, { hidden = [], range = null, ramp = null, off = [] }: Partial<ColourChoice> = {}): void {
    this.colour = key === TAGS || this.stage.columns.some((column) => column.key === key) ? key : null;
    this.plain = !key;
    this.hidden = new Set(hidden);
    this.wished = off;
    this.range = range;
    this.ramp = ramp;
    this.values = null;
    if (this.colour !== TAGS) this.stage.view.setCodes(null);
    this.apply();
    if (this.colour === TAGS) this.showTags();
    else this.loadValues();
  }

  /** Tags were put on records or taken off. */
  tagsChanged(): void {
    if (this.colour === TAGS) this.showTags();
  }

  private showTags(): void {
    const { map, entry } = this.stage;
    const { revision } = this.tags;
    this.stage.ask(map, "The tags of the points could not be loaded.", () => tagCodes(entry), (codes) => {
      if (this.colour !== TAGS || revision !== this.tags.revision) return;
      const column = tagsColumn(this.tags.all);
      this.several = codes.reduce((sum, code) => sum + Number(code === column.several), 0);
      map.view.setCodes(codes, column);
      this.hideWished();
      this.apply();
    });
  }

  private loadValues(): void {
    const { column } = this;
    const { map } = this.stage;
    if (!column || column.kind === "topic") return;
    const values = () => map.source.json(`c/${column.key}/values.json`) as Promise<Values>;
    this.stage.ask(map, `The values of “${column.name}” could not be loaded.`, values, (found) => {
      if (this.colour !== column.key) return;
      this.values = found;
      this.hideWished();
    });
  }

  private hideWished(): void {
    const { column, legend, wished } = this;
    if (!column || legend.length === 0 || wished.length === 0) return;
    this.wished = [];
    this.hidden = new Set([...this.hidden, ...hiddenCodes(column, legend, wished)]);
    this.apply();
  }

  /** What is hidden, as links name it. */
  get off(): Pick<Link, "off" | "hidden"> {
    const { column, hidden, legend, wished } = this;
    const codes = { off: wished, hidden: [...hidden] };
    if (!column || hidden.size === 0 || column.kind === "topic") return codes;
    const names = hiddenNames(column, legend, hidden);
    return names ? { off: names, hidden: [] } : codes;
  }

  toggleCode(code: number): void {
    this.hidden = toggled(this.hidden, code);
    this.apply();
  }

  soloCode(code: number): void {
    this.hidden = soloed(this.hidden, this.legend, code);
    this.apply();
  }

  setRange(range: [number, number] | null): void {
    this.range = range;
    this.apply();
  }

  setRamp(ramp: Ramp): void {
    this.ramp = ramp;
    this.apply();
  }

  filterOf(row: LegendRow): Filter | null {
    return this.column && filterOfRow(this.column, row, this.legend, this.stage.entry);
  }

  showAll(): void {
    this.hidden = new Set();
    this.setRange(null);
  }

  setPictures(mode: PictureMode): void {
    this.pictures = mode;
    this.stage.view.pictures.show(mode);
  }

  setLabels(shown: boolean): void {
    this.labels = shown;
    this.stage.view.showLabels(shown);
  }

  private apply(): void {
    const shown = this.column ? shownCodes(this.column, this, this.legend) : undefined;
    this.stage.view.setColumn(this.colour, shown, this.ramp ? { ramp: this.ramp } : {});
  }
}
