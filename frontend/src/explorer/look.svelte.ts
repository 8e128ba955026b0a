/** How the map looks: its colours and their legend, pictures, topic names. */

import { tagCodes } from "../api/select";
import type { Filter } from "../filters";
import { filterOfLegend, filterOfRow, legendRows, shownCodes, soloed, tagRows, TAGS, toggled, type LegendRow } from "../legend";
import type { Column, Ramp, Values } from "../map/manifest";
import type { PictureMode } from "../map/thumbnails";
import type { OpenedMap } from "../open_map";
import { currentTheme, onThemeChange } from "../site/theme";
import type { Stage } from "./stage.svelte";
import type { Tags } from "./tags.svelte";

export interface ColourChoice {
  hidden: number[];
  range: [number, number] | null;
  ramp: Ramp | null;
}

/** The code of a point with several tags. */
const SEVERAL = 254;

export class Look {
  theme = $state(currentTheme());

  colour = $state<string | null>(null);
  values = $state.raw<Values | null>(null);
  hidden = $state.raw<ReadonlySet<number>>(new Set());
  range = $state.raw<[number, number] | null>(null);
  /** How the colours of numbers are laid out, where not as they are stored. */
  ramp = $state<Ramp | null>(null);
  /** Points with several tags. */
  private several = $state(0);

  hasPictures = $state(false);
  pictures = $state<PictureMode>("auto");
  labels = $state(true);

  readonly column: Column | null = $derived.by(() => {
    if (this.colour === TAGS.key) return TAGS;
    const column = this.stage.columns.find(({ key }) => key === this.colour);
    return column ? { ...column, ...(this.ramp ? { ramp: this.ramp } : {}) } : null;
  });
  readonly legend: LegendRow[] = $derived.by(() => {
    if (!this.column) return [];
    if (this.column === TAGS) return tagRows(this.tags.all, this.several, this.theme);
    return legendRows(this.column, this.values, this.stage.topics, this.theme);
  });
  /** Which records the legend leaves; null = all. */
  readonly filter: Filter | null = $derived.by(() =>
    this.column ? filterOfLegend(this.column, this.legend, this, this.stage.entry.id) : null,
  );

  constructor(
    private readonly stage: Stage,
    private readonly tags: Tags,
  ) {
    onThemeChange((theme) => (this.theme = theme));
  }

  adopt({ view, manifest, labels, sheets }: OpenedMap): void {
    this.setColour(this.column?.key ?? manifest.embedded ?? manifest.columns[0]?.key ?? null, { ramp: this.ramp });
    labels.then(
      (labels) => {
        this.stage.topics = labels.topics;
        view.setLabels(labels);
      },
      () => (this.stage.error = "The labels could not be loaded."),
    );
    sheets.then(
      (index) => {
        view.setSheets(index);
        view.showPictures(this.pictures);
        this.hasPictures = view.hasPictures;
      },
      () => (this.stage.error = "The pictures could not be loaded."),
    );
    view.showLabels(this.labels);
  }

  setColour(key: string | null, { hidden = [], range = null, ramp = null }: Partial<ColourChoice> = {}): void {
    this.colour = key === TAGS.key || this.stage.columns.some((column) => column.key === key) ? key : null;
    this.hidden = new Set(hidden);
    this.range = range;
    this.ramp = ramp;
    this.values = null;
    if (this.colour !== TAGS.key) this.stage.view.setCodes(null);
    this.apply();
    if (this.colour === TAGS.key) void this.showTags();
    else this.loadValues();
  }

  /** Tags were put on records or taken off. */
  tagsChanged(): void {
    if (this.colour === TAGS.key) void this.showTags();
  }

  private async showTags(): Promise<void> {
    const { map, entry } = this.stage;
    const codes = await this.stage.attempt(tagCodes(entry));
    if (!codes || this.stage.map !== map || this.colour !== TAGS.key) return;
    this.several = codes.reduce((sum, code) => sum + Number(code === SEVERAL), 0);
    map.view.setCodes(codes, TAGS.missing);
  }

  private loadValues(): void {
    const { column, stage } = this;
    const { map } = stage;
    if (!column || column.kind === "topic") return;
    map.source.json(`c/${column.key}/values.json`).then(
      (values) => {
        if (this.colour === column.key && stage.map === map) this.values = values as Values;
      },
      () => (stage.error = `The values of “${column.name}” could not be loaded.`),
    );
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
    return this.column && filterOfRow(this.column, row, this.legend, this.stage.entry.id);
  }

  showAll(): void {
    this.hidden = new Set();
    this.setRange(null);
  }

  setPictures(mode: PictureMode): void {
    this.pictures = mode;
    this.stage.view.showPictures(mode);
  }

  setLabels(shown: boolean): void {
    this.labels = shown;
    this.stage.view.showLabels(shown);
  }

  private apply(): void {
    const shown = this.column ? shownCodes(this.column, { hidden: this.hidden, range: this.range }) : undefined;
    this.stage.view.setColumn(this.colour, shown, this.ramp ?? undefined);
  }
}
