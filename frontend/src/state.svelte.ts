/** What the explorer shows: the panels read it, its methods change it and tell the map. */

import { neighboursOf, recordOf, search, type Answer, type MapRecord, type Neighbour, type QueryPart, type Space } from "./api";
import type { MapConfig, MapEntry } from "./config";
import { legendRows, shownCodes, soloed, toggled, type LegendRow } from "./legend";
import type { Tool } from "./map/gestures";
import type { Hit } from "./map/hits_pass";
import type { Column, Topic, Values } from "./map/manifest";
import type { Found } from "./map/pick";
import type { Polygon } from "./map/region";
import type { PictureMode } from "./map/thumbnails";
import type { Camera } from "./map/viewport";
import type { OpenedMap } from "./open_map";
import { NOTHING_ASKED, partsOf, rowsOf, textChip, wordsOf, type Asked, type Chip } from "./query";
import { Records } from "./records";
import { currentTheme, onThemeChange } from "./site/theme";
import type { Link } from "./url";

export interface OpenRecord {
  record: MapRecord;
  /** Null while they are on their way. */
  neighbours: Neighbour[] | null;
}

export interface SearchHit extends Hit {
  row: number;
  /** As the server scored it. */
  raw: number;
}

const HOVER_CARD_MS = 125;
/** Time to travel from the point to its card. */
const LEAVE_MS = 220;
const HITS = 500;
/** Width of the drawer, in pixels, where it lies beside the map. */
const DRAWER = 400;

export class Explorer {
  entry = $state.raw<MapEntry>(null!);
  columns = $state.raw<Column[]>([]);
  topics = $state.raw<Topic[]>([]);
  hasPictures = $state(false);
  camera = $state.raw<Camera>({ x: 0.5, y: 0.5, k: 1 });
  look = $state(currentTheme());

  colour = $state<string | null>(null);
  values = $state.raw<Values | null>(null);
  hidden = $state.raw<ReadonlySet<number>>(new Set());
  range = $state.raw<[number, number] | null>(null);

  pictures = $state<PictureMode>("auto");
  labels = $state(true);
  tool = $state<Tool>("pan");

  hovered = $state.raw<Found | null>(null);
  card = $state.raw<{ record: MapRecord; at: Found } | null>(null);
  opened = $state.raw<OpenRecord | null>(null);
  selected = $state(0);

  asked = $state.raw<Asked>(NOTHING_ASKED);
  searching = $state(false);
  hits = $state.raw<SearchHit[] | null>(null);
  /** Hits above the cut, and how many are shown. */
  relevant = $state(0);
  shown = $state(0);

  loading = $state(true);
  switching = $state(false);
  error = $state<string | null>(null);

  readonly column = $derived(this.columns.find((column) => column.key === this.colour) ?? null);
  readonly legend: LegendRow[] = $derived(
    this.column ? legendRows(this.column, this.values, this.topics, this.look) : [],
  );

  private map!: OpenedMap;
  private records!: Records;
  private hoverTimer: ReturnType<typeof setTimeout> | undefined;
  private overCard = false;
  private asking = new AbortController();

  constructor(
    readonly config: MapConfig,
    private readonly reopen: (entry: MapEntry) => Promise<OpenedMap>,
  ) {
    onThemeChange((theme) => (this.look = theme));
  }

  /** Takes over a map that was opened, and what its files say about it. */
  adopt(map: OpenedMap): void {
    const { view, manifest } = map;
    this.map = map;
    this.records = new Records(map.entry);
    this.entry = map.entry;
    this.columns = manifest.columns;
    this.camera = view.camera;
    this.loading = view.loading;
    this.selected = 0;
    this.setColour(this.column?.key ?? manifest.embedded ?? manifest.columns[0]?.key ?? null);
    view.events.on("camera", (camera) => (this.camera = camera));
    view.events.on("hover", (found) => this.hover(found));
    view.events.on("click", ({ found, add }) => this.click(found, add));
    view.events.on("open", (found) => void this.openOrdinal(found.ordinal));
    view.events.on("topic", (topic) => this.goToTopic(topic));
    view.events.on("region", ({ polygon, add }) => void this.selectRegion(polygon, add));
    view.events.on("loading", (loading) => (this.loading = loading));
    view.events.on("error", () => (this.error = "Part of the map could not be loaded."));
    map.labels.then(
      (labels) => {
        this.topics = labels.topics;
        view.setLabels(labels);
      },
      () => (this.error = "The labels could not be loaded."),
    );
    map.sheets.then(
      (index) => {
        view.setSheets(index);
        view.showPictures(this.pictures);
        this.hasPictures = view.hasPictures;
      },
      () => (this.error = "The pictures could not be loaded."),
    );
    view.showLabels(this.labels);
    view.tool = this.tool;
  }

  get n(): number {
    return this.map.view.n;
  }

  // --- camera -------------------------------------------------------------------------------------------------

  zoomBy(factor: number): void {
    this.map.view.zoomBy(factor);
  }

  recentre(): void {
    this.map.view.recentre();
  }

  goToTopic(topic: Topic): void {
    const k = Math.max(this.camera.k * 1.8, (topic.k0 ?? 1) * 1.5, 3);
    this.map.view.flyTo({ x: topic.x, y: topic.y, k: Math.min(k, 60) });
  }

  /** Screen place of a world point. */
  screen(x: number, y: number): [number, number] {
    return this.map.view.screen(x, y);
  }

  // --- look ---------------------------------------------------------------------------------------------------

  setColour(key: string | null, filter: { hidden?: number[]; range?: [number, number] | null } = {}): void {
    this.colour = this.columns.some((column) => column.key === key) ? key : null;
    this.hidden = new Set(filter.hidden ?? []);
    this.range = filter.range ?? null;
    this.values = null;
    this.applyColour();
    const { column, map } = this;
    if (!column || column.kind === "topic") return;
    map.source.json(`c/${column.key}/values.json`).then(
      (values) => {
        if (this.colour === column.key && this.map === map) this.values = values as Values;
      },
      () => (this.error = `The values of “${column.name}” could not be loaded.`),
    );
  }

  toggleCode(code: number): void {
    this.hidden = toggled(this.hidden, code);
    this.applyColour();
  }

  soloCode(code: number): void {
    this.hidden = soloed(this.hidden, this.legend, code);
    this.applyColour();
  }

  setRange(range: [number, number] | null): void {
    this.range = range;
    this.applyColour();
  }

  showAll(): void {
    this.hidden = new Set();
    this.setRange(null);
  }

  setPictures(mode: PictureMode): void {
    this.pictures = mode;
    this.map.view.showPictures(mode);
  }

  setLabels(shown: boolean): void {
    this.labels = shown;
    this.map.view.showLabels(shown);
  }

  setTool(tool: Tool): void {
    this.tool = this.tool === tool ? "pan" : tool;
    this.map.view.tool = this.tool;
  }

  // --- hover and detail ---------------------------------------------------------------------------------------

  /** The card opens late, so that it does not flicker past, and closes late, so that it can be reached. */
  private hover(found: Found | null): void {
    clearTimeout(this.hoverTimer);
    if (!found) {
      this.hoverTimer = setTimeout(() => this.overCard || this.closeCard(), LEAVE_MS);
      return;
    }
    const delay = this.card ? 60 : HOVER_CARD_MS;
    this.hoverTimer = setTimeout(() => void this.showCard(found), delay);
  }

  enterCard(): void {
    this.overCard = true;
    clearTimeout(this.hoverTimer);
  }

  leaveCard(): void {
    this.overCard = false;
    this.hoverTimer = setTimeout(() => this.closeCard(), LEAVE_MS);
  }

  closeCard(): void {
    clearTimeout(this.hoverTimer);
    this.overCard = false;
    this.card = null;
    this.hovered = null;
  }

  private async showCard(found: Found): Promise<void> {
    this.hovered = found;
    const record = await this.attempt(this.records.get(found.ordinal));
    if (record && this.hovered === found) this.card = { record, at: found };
  }

  /** Points at a record from elsewhere on the page. */
  point(record: MapRecord | null): void {
    this.map.view.markHover(record && placed(record));
  }

  async openOrdinal(ordinal: number): Promise<void> {
    const record = await this.attempt(this.records.get(ordinal));
    if (record) await this.open(record);
  }

  async openRow(row: number): Promise<void> {
    const record = await this.attempt(recordOf(this.entry, row));
    if (record) await this.open(record);
  }

  async open(record: MapRecord): Promise<void> {
    this.closeCard();
    const opened: OpenRecord = { record, neighbours: null };
    this.opened = opened;
    const place = placed(record);
    this.map.view.markOpen(place);
    if (place) this.map.view.reveal(place, innerWidth >= 900 ? DRAWER : 0);
    const neighbours = await this.attempt(neighboursOf(this.entry, record.row));
    if (this.opened !== opened || !neighbours) return;
    this.opened = { record, neighbours };
    this.map.view.markOpen(placed(record), neighbours.map(placed).filter((place) => place !== null));
  }

  closeRecord(): void {
    this.opened = null;
    this.map.view.markOpen(null);
  }

  goTo(record: MapRecord): void {
    const place = placed(record);
    if (place) this.map.view.flyTo({ ...place, k: Math.max(this.camera.k, 12) });
  }

  // --- selection ----------------------------------------------------------------------------------------------

  private click(found: Found | null, add: boolean): void {
    if (found && add) this.toggleSelected(found.ordinal);
    else if (found) void this.openOrdinal(found.ordinal);
    else if (this.opened) this.closeRecord();
    else if (this.selected > 0) this.select([]);
  }

  private toggleSelected(ordinal: number): void {
    const now = new Set(this.map.view.flags.selection());
    if (!now.delete(ordinal)) now.add(ordinal);
    this.select(now);
  }

  private async selectRegion(polygon: Polygon, add: boolean): Promise<void> {
    const found = await this.attempt(this.map.view.ordinalsIn(polygon));
    if (!found) return;
    this.select(add ? [...this.map.view.flags.selection(), ...found] : found);
    this.setTool("pan");
  }

  select(ordinals: Iterable<number>): void {
    this.map.view.select(ordinals);
    this.selected = this.map.view.flags.selected;
  }

  /** The first records of the selection, to look at. */
  async selectedRecords(most: number): Promise<MapRecord[]> {
    const ordinals: number[] = [];
    for (const ordinal of this.map.view.flags.selection()) {
      if (ordinals.push(ordinal) === most) break;
    }
    return (await this.attempt(this.records.all(ordinals))) ?? [];
  }

  /** Escape: what lies on top goes first. */
  clear(): void {
    if (this.tool !== "pan") this.setTool("pan");
    else if (this.card) this.closeCard();
    else if (this.opened) this.closeRecord();
    else if (this.hits) this.clearSearch();
    else if (this.selected > 0) this.select([]);
  }

  // --- search -------------------------------------------------------------------------------------------------

  ask(asked: Asked): Promise<void> {
    this.asked = asked;
    const parts = partsOf(asked);
    return parts.length > 0 ? this.search(parts) : Promise.resolve(this.clearSearch());
  }

  askSimilar(record: MapRecord): Promise<void> {
    return this.ask({ text: "", chips: [chipOf(record)] });
  }

  private async search(parts: QueryPart[]): Promise<void> {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    this.searching = true;
    const answer = await this.attempt(search(this.config.dataset.id, { map: this.entry.id, parts, limit: HITS }, signal), signal);
    if (signal.aborted) return;
    this.searching = false;
    if (answer) this.show(answer);
  }

  private show({ hits, relevant }: Answer): void {
    const best = hits[0]?.score ?? 0;
    const span = best - (hits.at(-1)?.score ?? 0) || 1;
    this.hits = hits.flatMap((hit) => {
      const place = placed(hit);
      return place ? [{ ...place, row: hit.row, raw: hit.score, score: 1 - (best - hit.score) / span }] : [];
    });
    this.relevant = Math.min(relevant, this.hits.length);
    this.showHits(this.relevant);
  }

  /** How many of the hits, best first, are shown on the map. */
  showHits(many: number): void {
    this.shown = many;
    this.map.view.setHits((this.hits ?? []).slice(0, many), this.hits !== null);
  }

  clearSearch(): void {
    this.asking.abort();
    this.searching = false;
    this.asked = NOTHING_ASKED;
    this.hits = null;
    this.showHits(0);
  }

  async hitRecords(from: number, to: number): Promise<MapRecord[]> {
    const ordinals = (this.hits ?? []).slice(from, to).map((hit) => hit.ordinal);
    return (await this.attempt(this.records.all(ordinals))) ?? [];
  }

  // --- other maps, links, errors ------------------------------------------------------------------------------

  /** Shows another space of the same records; the open record stays open, at its new place, and the search is asked again. */
  async switchTo(space: Space): Promise<void> {
    const entry = this.config.maps.find((map) => map.space === space);
    if (!entry || entry.id === this.entry.id || this.switching) return;
    this.switching = true;
    this.closeCard();
    const [row, asked] = [this.opened?.record.row, this.asked];
    const map = await this.attempt(this.reopen(entry));
    if (map) {
      this.adopt(map);
      this.opened = null;
      this.hits = null;
      await Promise.all([row === undefined ? null : this.openRow(row), this.ask(asked)]);
    }
    this.switching = false;
  }

  link(): Link {
    return {
      map: this.config.maps.length > 1 ? this.entry.space : null,
      camera: this.camera,
      colour: this.colour,
      hidden: [...this.hidden],
      range: this.range,
      query: this.asked.text,
      words: wordsOf(this.asked.chips),
      like: rowsOf(this.asked.chips),
      record: this.opened?.record.row ?? null,
    };
  }

  async follow(link: Link): Promise<void> {
    if (link.map && link.map !== this.entry.space) await this.switchTo(link.map as Space);
    if (link.camera) this.map.view.setCamera(link.camera);
    if (link.colour) this.setColour(link.colour, link);
    if (link.record === null) this.closeRecord();
    else if (link.record !== this.opened?.record.row) await this.openRow(link.record);
    await this.followQuery(link);
  }

  private async followQuery({ query, words, like }: Link): Promise<void> {
    const now = this.asked;
    const same = now.text === query && wordsOf(now.chips).join() === words.join() && rowsOf(now.chips).join() === like.join();
    if (same) return;
    const chips = words.map((word) => textChip(word.slice(1), word.startsWith("+")));
    for (const sign of like) {
      const record = await this.attempt(recordOf(this.entry, Math.abs(Number(sign))));
      if (record) chips.push({ ...chipOf(record), wanted: !sign.startsWith("-") });
    }
    await this.ask({ text: query, chips });
  }

  retry(): void {
    this.error = null;
    this.map.view.retry();
  }

  private applyColour(): void {
    const shown = this.column ? shownCodes(this.column, { hidden: this.hidden, range: this.range }) : undefined;
    this.map.view.setColumn(this.colour, shown);
  }

  /** The result, or null with the error told. What was aborted is told to nobody. */
  private async attempt<T>(work: Promise<T>, signal?: AbortSignal): Promise<T | null> {
    try {
      return await work;
    } catch (error) {
      if (!signal?.aborted) this.error = error instanceof Error ? error.message : String(error);
      return null;
    }
  }
}

export function chipOf(record: MapRecord): Chip {
  const label = record.caption.slice(0, 60) || record.source;
  return { kind: "row", value: String(record.row), label, wanted: true, thumbnail: record.image?.thumbnail ?? null };
}

/** Where a record is on the map, if it is on it. */
function placed({ ordinal, x, y }: { ordinal: number | null; x: number | null; y: number | null }): Found | null {
  return ordinal === null || x === null || y === null ? null : { ordinal, x, y };
}
