/** How the map looks: its colours and their legend, pictures, topic names. */

import { legendRows, shownCodes, soloed, toggled, type LegendRow } from "../legend";
import type { Values } from "../map/manifest";
import type { PictureMode } from "../map/thumbnails";
import type { OpenedMap } from "../open_map";
import { currentTheme, onThemeChange } from "../site/theme";
import type { Stage } from "./stage.svelte";

export class Look {
  theme = $state(currentTheme());

  colour = $state<string | null>(null);
  values = $state.raw<Values | null>(null);
  hidden = $state.raw<ReadonlySet<number>>(new Set());
  range = $state.raw<[number, number] | null>(null);

  hasPictures = $state(false);
  pictures = $state<PictureMode>("auto");
  labels = $state(true);

  readonly column = $derived.by(() => this.stage.columns.find((column) => column.key === this.colour) ?? null);
  readonly legend: LegendRow[] = $derived.by(() =>
    this.column ? legendRows(this.column, this.values, this.stage.topics, this.theme) : [],
  );

  constructor(private readonly stage: Stage) {
    onThemeChange((theme) => (this.theme = theme));
  }

  adopt({ view, manifest, labels, sheets }: OpenedMap): void {
    this.setColour(this.column?.key ?? manifest.embedded ?? manifest.columns[0]?.key ?? null);
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

  setColour(key: string | null, filter: { hidden?: number[]; range?: [number, number] | null } = {}): void {
    this.colour = this.stage.columns.some((column) => column.key === key) ? key : null;
    this.hidden = new Set(filter.hidden ?? []);
    this.range = filter.range ?? null;
    this.values = null;
    this.apply();
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
    this.stage.view.setColumn(this.colour, shown);
  }
}
