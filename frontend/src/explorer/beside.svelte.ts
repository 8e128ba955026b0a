/** A second map of the same records beside the first: what is pointed at, open, selected, found or filtered is so on both. */

import type { MapRecord, Space } from "../api/maps";
import { select, table, tagCodes } from "../api/select";
import type { MapEntry } from "../config";
import { onMap, type Filter } from "../filters";
import { lookElsewhere, shownCodes, shownElsewhere, TAGS, tagsColumn, type Shown } from "../legend";
import type { Values } from "../map/manifest";
import { linkCameras } from "../map/link_cameras";
import type { MapView } from "../map/map_view";
import type { ColumnLook } from "../map/marks";
import type { Found } from "../map/pick";
import type { OpenedMap } from "../open_map";
import type { Explorer } from "./explorer.svelte";
import { placed } from "./stage.svelte";

/** Hits that are shown on the second map too: what the server lists at once. */
const MOST = 500;

export class Beside {
  map = $state.raw<OpenedMap<MapView> | null>(null);
  opening = $state(false);
  /** Whether the two move together. */
  linked = $state(false);

  private stop: (() => void) | null = null;
  /** Where no map is drawn: what the link said, so that it goes with the address back to the maps. */
  private wanted = $state<Space | null>(null);

  constructor(
    private readonly explorer: Explorer,
    /** Null where no map is drawn. */
    private readonly open: ((entry: MapEntry) => Promise<OpenedMap<MapView>>) | null,
  ) {}

  get space(): Space | null {
    return this.map?.entry.space ?? this.wanted;
  }

  /** Null closes it. */
  async show(space: Space | null): Promise<void> {
    if (space === this.space || this.opening) return;
    const entry = this.explorer.config.maps.find((map) => map.space === space);
    if (!this.open) {
      this.wanted = entry?.space ?? null;
      return;
    }
    if (!entry) return this.close();
    this.opening = true;
    this.app.dataset["beside"] = "";
    const map = await this.explorer.stage.attempt(this.open(entry), undefined, () => this.show(space));
    this.opening = false;
    this.close();
    if (map) this.adopt(map);
  }

  close(): void {
    this.stop?.();
    // A card may be about a place on it.
    this.explorer.detail.closeCard();
    this.map?.close();
    this.map = null;
    this.stop = null;
    this.linked = false;
    delete this.app.dataset["beside"];
  }

  private get app(): HTMLElement {
    return this.explorer.stage.view.canvas.parentElement!.parentElement!;
  }

  private adopt(map: OpenedMap<MapView>): void {
    const { explorer } = this;
    const { view, records } = map;
    const recordOf = ({ ordinal }: Found) => explorer.stage.attempt(records.get(ordinal));
    view.canvas.setAttribute("aria-label", `Second ${view.canvas.getAttribute("aria-label")?.replace("Map", "map") ?? "map"}`);
    this.shown(map, map.labels, (labels) => view.setLabels(labels));
    this.shown(map, map.sheets, (index) => {
      view.pictures.setSheets(index);
      view.pictures.show(explorer.look.pictures);
    });
    view.events.on("hover", (found) => explorer.detail.hover(found, { view, records }));
    view.events.on("walk", (found) => void explorer.detail.walk(found, { view, records }));
    view.events.on("click", async ({ found, add }) => {
      const record = found && (await recordOf(found));
      if (record) await this.pick(record, add);
      else if (!found && !add) explorer.clickNothing();
    });
    view.events.on("open", async (found) => {
      const record = await recordOf(found);
      if (record) await this.pick(record, false);
    });
    view.events.on("topic", ({ topic, manner }) => void explorer.selection.change({ topic: topic.id, ...onMap(map.entry) }, manner));
    view.events.on("region", ({ polygon, manner }) => explorer.selectRegion(polygon, manner, map.entry));
    view.events.on("lost", (lost) => lost && this.lose(map));
    const again = (): void => view.retry();
    view.events.on("error", (error) => this.failed(error, again));
    this.app.dataset["beside"] = "";
    this.map = map;
    this.stop = $effect.root(() => this.follow(map));
  }

  /** Shows what the files of a map say, if that is still the second map when they come. */
  private shown<T>(map: OpenedMap<MapView>, asked: () => Promise<T>, show: (found: T) => void): void {
    asked().then(
      (found) => this.map === map && show(found),
      (error: unknown) => this.map === map && this.failed(error, () => this.map === map && this.shown(map, asked, show)),
    );
  }

  private failed(error: unknown, again: () => void): void {
    const { stage } = this.explorer;
    void stage.tell(error, () => stage.fail("Part of the second map could not be loaded.", again));
  }

  /** The first has words of its own for it, and stays. */
  private lose(map: OpenedMap<MapView>): void {
    if (this.map !== map) return;
    this.close();
    this.explorer.stage.error = "The browser has stopped drawing the second map.";
  }

  /** As `Explorer.pick`, for a record as this map knows it. */
  private pick({ row, ordinal }: MapRecord, add: boolean): Promise<void> {
    const { detail, selection } = this.explorer;
    if (!add) return detail.openRow(row);
    const selected = ordinal !== null && (this.map?.view.flags.isSelected(ordinal) ?? false);
    return selection.toggle(row, selected, detail.opened?.record.row ?? null);
  }

  /** Keeps the second map as the first is. */
  private follow({ view, entry, manifest, source }: OpenedMap<MapView>): void {
    const { explorer } = this;
    const { stage, look, detail, selection, filters, search } = explorer;
    $effect(() => (this.linked ? linkCameras(stage.view, view) : undefined));
    $effect(() => {
      view.tool = explorer.tool;
    });
    $effect(() => {
      if (stage.entry.id === entry.id) this.close();
    });
    $effect(() => view.showLabels(look.labels));
    $effect(() => view.pictures.show(look.pictures));
    $effect(() => this.bits(entry, selection.filter, (bits) => view.setSelectionBits(bits)));
    $effect(() => this.bits(entry, filters.shown, (bits) => view.setHidden(bits)));
    $effect(() => {
      const { colour, hidden, range, ramp, legend, column: first } = look;
      const column = colour === TAGS ? tagsColumn(explorer.tags.all) : manifest.columns.find(({ key }) => key === colour);
      const paint = (shown: Shown, given: ColumnLook = {}) => {
        view.setColumn(column?.key ?? null, column && shownCodes({ ...column, ...given }, shown), { ...given, ...(ramp ? { ramp } : {}) });
      };
      view.setCodes(null);
      if (!column || !first || column.kind === "topic") return void paint({ hidden: new Set(), range: null });
      if (colour === TAGS) {
        paint({ hidden, range });
        return this.late((signal) => tagCodes(entry, signal), (codes) => view.setCodes(codes, column));
      }
      const show = (values: Values | null) => {
        const given = lookElsewhere(first, legend, values);
        paint(shownElsewhere(first, { hidden, range }, legend, { ...column, ...given }, values), given);
      };
      show(null);
      if (column.kind === "category") return this.late(() => source.json(`c/${column.key}/values.json`) as Promise<Values>, show);
    });
    $effect(() => {
      const { hits } = search;
      const best = search.relevant.slice(0, MOST);
      if (!hits) return view.setHits([], false);
      return this.places(entry, best, (places) => {
        const found = best.map(({ row, score }) => ({ place: places.get(row), score }));
        view.setHits(found.flatMap(({ place, score }) => (place ? [{ ...place, score }] : [])), true);
      });
    });
    $effect(() => {
      if (!detail.opened) return view.markOpen(null);
      const { record, neighbours } = detail.opened;
      return this.places(entry, [record, ...(neighbours ?? [])], (places) => {
        const place = places.get(record.row) ?? null;
        view.markOpen(place, place ? (neighbours ?? []).flatMap(({ row }) => places.get(row) ?? []) : []);
      });
    });
    $effect(() => this.pointAt(view, entry));
  }

  /** A point under the pointer is ringed on both maps. */
  private pointAt(view: MapView, entry: MapEntry): (() => void) | void {
    const { stage, detail } = this.explorer;
    const record = detail.card?.record ?? detail.pointed;
    if (!record) return view.markHover(null);
    if (detail.card?.view !== view) return this.places(entry, [record], (places) => view.markHover(places.get(record.row) ?? null));
    const stop = this.places(stage.entry, [record], (places) => stage.view.markHover(places.get(record.row) ?? null));
    return () => {
      stop?.();
      stage.view.markHover(null);
    };
  }

  private bits(entry: MapEntry, filter: Filter | null, show: (bits: Uint8Array | null) => void): (() => void) | void {
    if (!filter) return show(null);
    return this.late((signal) => select(entry, this.explorer.stage.asShown(filter), signal), ({ bits }) => show(bits));
  }

  /** Where the records are on a map, by row. */
  private places(entry: MapEntry, records: { row: number }[], show: (places: Map<number, Found>) => void): (() => void) | void {
    if (records.length === 0) return show(new Map());
    const filter = { rows: records.map(({ row }) => row) };
    const query = { filter, sort: "row", offset: 0, limit: MOST };
    return this.late((signal) => table(this.explorer.config.dataset.id, entry, query, signal), ({ records }) => {
      show(new Map(records.flatMap((record) => {
        const place = placed(record);
        return place ? [[record.row, place] as const] : [];
      })));
    });
  }

  /** Shows an answer unless it is called off before it comes. */
  private late<T>(ask: (signal: AbortSignal) => Promise<T>, show: (answer: T) => void): () => void {
    const asking = new AbortController();
    const { signal } = asking;
    const { stage } = this.explorer;
    const begin = (): unknown => stage.attempt(ask(signal), signal, begin).then((found) => found !== null && !signal.aborted && show(found));
    begin();
    return () => asking.abort();
  }
}
