/** The explorer: puts its parts together, moves the camera, switches maps, and is a link. The panels read it. */

import { recordOf, type MapRecord, type Space } from "../api/maps";
import type { Order } from "../api/select";
import { savedView, saveView, viewsOf, type View } from "../api/views";
import type { MapConfig, MapEntry } from "../config";
import { readFilter, readParts, tagsIn, type Filter } from "../filters";
import { betweenOf, rangeOf } from "../legend";
import type { Tool } from "../map/gestures";
import type { Topic } from "../map/manifest";
import type { Manner } from "../map/manner";
import type { MapView } from "../map/map_view";
import type { Focus } from "../map/morph";
import type { Found } from "../map/pick";
import type { Polygon } from "../map/region";
import type { OpenedMap } from "../open_map";
import { copyLink } from "../site/copy_link";
import { decodeLink, encodeLink, leftOut, type Link } from "../url";
import { Beside } from "./beside.svelte";
import { Detail } from "./detail.svelte";
import { Filters } from "./filters.svelte";
import { Look, type ColourChoice } from "./look.svelte";
import { Past } from "./past.svelte";
import { Removal } from "./removal";
import { Search } from "./search.svelte";
import { Selection } from "./selection.svelte";
import { placed, Stage } from "./stage.svelte";
import { Steps } from "./steps";
import { Tags } from "./tags.svelte";
import { Together } from "./together.svelte";

/** What undo brings back. */
interface Moment extends ColourChoice {
  /** The map whose codes are hidden or kept; null where none are. */
  map: string | null;
  selection: Filter | null;
  filters: [string, Filter][];
  any: boolean;
  colour: string | null;
}

export class Explorer {
  readonly stage: Stage;
  readonly look: Look;
  readonly detail: Detail;
  readonly selection: Selection;
  readonly filters: Filters;
  readonly tags: Tags;
  readonly search: Search;
  readonly together: Together;
  readonly past: Past<Moment>;
  readonly beside: Beside;
  readonly steps: Steps;
  readonly removal: Removal;

  tool = $state<Tool>("pan");
  /** What the next drawn region does, for those who have no Shift and Alt at hand. */
  manner = $state<Manner>("new");
  /** Whether the table of records is open. */
  table = $state(false);
  /** How the table is sorted, and the list in place of a map. */
  order = $state.raw<Order>({ sort: "row", by: "column" });
  loading = $state(true);
  switching = $state(false);
  /** Ends with the change of maps that is under way. */
  private under: Promise<unknown> = Promise.resolve();
  private followed: Link | null = null;

  constructor(
    readonly config: MapConfig,
    private readonly reopen: (entry: MapEntry, focus: Focus | null) => Promise<OpenedMap>,
    openBeside: ((entry: MapEntry) => Promise<OpenedMap<MapView>>) | null,
  ) {
    this.stage = new Stage(config);
    this.tags = new Tags(this.stage, (gone) => this.tagsChanged(gone));
    this.look = new Look(this.stage, this.tags);
    this.detail = new Detail(this.stage);
    this.selection = new Selection(this.stage);
    this.filters = new Filters(this.stage, () => this.search.refresh());
    this.search = new Search(this.stage, this.filters);
    this.together = new Together(this.stage, {
      switchTo: ({ space }) => this.switchTo(space),
      select: (filter) => this.selection.set(filter),
      openRow: (row) => this.detail.openRow(row),
      hash: () => encodeLink({ ...this.link(), comment: null }, Infinity),
    });
    this.beside = new Beside(this, openBeside);
    this.steps = new Steps(this);
    this.removal = new Removal(this);
    this.past = new Past((moment) => this.goBack(moment));
    void this.tags.load();
  }

  /** Takes over a map that was opened, and what its files say about it. */
  adopt(map: OpenedMap): void {
    const { view } = map;
    // What is pointed at is on the map that goes.
    this.detail.closeCard();
    this.stage.adopt(map);
    this.look.adopt(map);
    this.selection.adopt();
    this.filters.adopt();
    this.together.adopt();
    this.loading = view.loading;
    view.tool = this.tool;
    view.events.on("camera", (camera) => (this.stage.camera = camera));
    view.events.on("hover", (found) => this.detail.hover(this.tool === "pan" ? found : null));
    view.events.on("walk", (found) => void this.detail.walk(found));
    view.events.on("click", ({ found, add }) => void this.click(found, add));
    view.events.on("open", (found) => void this.detail.openOrdinal(found.ordinal));
    view.events.on("topic", ({ topic, manner }) => this.pickTopic(topic, manner));
    view.events.on("region", ({ polygon, manner }) => this.selectRegion(polygon, manner));
    view.events.on("lost", (lost) => (this.stage.lost = lost));
    view.events.on("loading", (loading) => (this.loading = loading));
    const again = (): void => view.retry();
    const failed = (): void => this.stage.fail("Part of the map could not be loaded.", again);
    view.events.on("error", (error) => void this.stage.tell(error, failed));
    if (map.failed) failed();
  }

  get n(): number {
    return this.stage.view.n;
  }

  get mayTag(): boolean {
    return this.config.dataset.may_tag;
  }

  /** What asks for tags finds other records now; what names a tag that is gone goes. */
  private tagsChanged(gone: string | null): void {
    this.look.tagsChanged();
    const isGone = (filter: Filter): boolean => gone !== null && tagsIn(filter).includes(gone);
    for (const part of [this.filters, this.selection, this.search]) part.tagsChanged(isGone);
  }

  // --- camera and tools ---------------------------------------------------------------------------------------

  zoomBy(factor: number): void {
    this.stage.view.mover.zoomBy(factor);
  }

  showTable(order: Order): void {
    this.order = order;
    this.table = true;
  }

  recentre(): void {
    this.stage.view.mover.recentre();
  }

  goToTopic(topic: Topic): void {
    // As if its points lay as dense as all others, and near enough for its name.
    const k = Math.max(0.6 * Math.sqrt(this.n / topic.count), (topic.k0 ?? 1) * 1.1);
    this.stage.view.mover.flyTo({ x: topic.x, y: topic.y, k: Math.min(k, 60) });
  }

  /** Flies to a topic and selects it. */
  pickTopic(topic: Topic, manner: Manner): void {
    this.goToTopic(topic);
    void this.selection.addTopic(topic.id, manner);
  }

  setTool(tool: Tool): void {
    this.tool = this.tool === tool ? "pan" : tool;
    this.manner = "new";
    this.detail.closeCard();
    this.stage.view.tool = this.tool;
  }

  private async click(found: Found | null, add: boolean): Promise<void> {
    if (found && !add) return this.detail.openOrdinal(found.ordinal);
    if (!found && !add) return this.clickNothing();
    const record = found && (await this.stage.attempt(this.stage.records.get(found.ordinal)));
    if (record) this.pick(record, true);
  }

  /**
   * What a click on a record does, wherever it is shown: opens it; with Shift or Ctrl it joins the selection or leaves it. Nobody
   * loses a selection by looking at a record; the open one is picked, so that the next joins it.
   */
  pick(record: MapRecord, add: boolean): void {
    const { ordinal, row } = record;
    const selected = ordinal !== null && this.stage.view.flags.isSelected(ordinal);
    if (add) void this.selection.toggle(row, selected, this.detail.opened?.record.row ?? null);
    else this.detail.open(record);
  }

  clickNothing(): void {
    if (this.detail.opened) this.detail.close();
    else if (this.selection.filter) void this.selection.set(null);
  }

  selectRegion(polygon: Polygon, manner: Manner, map = this.stage.entry): void {
    this.detail.closeCard();
    void this.selection.addRegion(polygon, manner === "new" ? this.manner : manner, map);
    if (this.tool !== "pan") this.setTool("pan");
  }

  /** Escape: what lies on top goes first. */
  clear(): void {
    if (this.tool !== "pan") this.setTool("pan");
    else if (this.detail.card) this.detail.closeCard();
    else if (this.together.placing) this.together.placing = false;
    else if (this.detail.opened) this.detail.close();
    else if (this.together.tab) this.together.close();
    else if (this.table) this.table = false;
    else if (this.search.hits) this.search.clear();
    else if (this.selection.filter) void this.selection.set(null);
  }

  moment(): Moment {
    const { colour, hidden, range, ramp } = this.look;
    const { parts, any } = this.filters;
    const map = hidden.size > 0 || range ? this.stage.entry.id : null;
    return { selection: this.selection.filter, filters: [...parts], any, colour, map, hidden: [...hidden], range, ramp };
  }

  private async goBack({ selection, filters, any, colour, map, ...choice }: Moment): Promise<void> {
    this.look.setColour(colour, map === null || map === this.stage.entry.id ? choice : { ramp: choice.ramp });
    await Promise.all([this.selection.set(selection), this.filters.setAll(new Map(filters), any)]);
  }

  // --- other maps, links --------------------------------------------------------------------------------------

  /** Shows another space of the same records; the open record stays open, at its new place, and the search is asked again. */
  async switchTo(space: Space): Promise<void> {
    const entry = this.config.maps.find((map) => map.space === space);
    if (!entry || entry.id === this.stage.entry.id || this.switching) return;
    this.switching = true;
    this.detail.closeCard();
    const under = this.goTo(entry);
    this.under = under.catch(() => undefined);
    await under.finally(() => (this.switching = false));
  }

  /** Whatever is open by the time that the map is there is shown at its new place. */
  private async goTo(entry: MapEntry): Promise<void> {
    const opened = this.detail.opened?.record;
    const focus = opened ? await this.focusOn(opened, entry) : null;
    const map = await this.stage.attempt(this.reopen(entry, focus), undefined, () => this.switchTo(entry.space));
    if (!map) return;
    const row = this.detail.opened?.record.row;
    this.detail.close();
    this.adopt(map);
    await Promise.all([row === undefined ? null : this.detail.openRow(row), this.search.again()]);
  }

  /** The place of a record on this map and on another; null where it is not on both, or where the answer does not come. */
  private async focusOn(record: MapRecord, entry: MapEntry): Promise<Focus | null> {
    const there = await recordOf(entry, record.row).catch(() => null);
    const [before, after] = [placed(record), there && placed(there)];
    return before && after && { before, after };
  }

  /** Shows another space of the same records beside this one, or no more. */
  compare(): Promise<void> {
    const other = this.config.maps.find(({ id }) => id !== this.stage.entry.id);
    return this.beside.show(this.beside.map || !other ? null : other.space);
  }

  link(): Link {
    const { stage, look, search, detail } = this;
    return {
      map: this.config.maps.length > 1 ? stage.entry.space : null,
      beside: this.beside.space,
      layout: stage.entry.layout,
      camera: stage.camera,
      colour: look.colour ?? "",
      ...look.off,
      of: null,
      between: look.column && look.range && betweenOf(look.column, look.range),
      range: null,
      ramp: look.ramp,
      ...search.link(),
      record: detail.opened?.record.row ?? null,
      selection: this.selection.filter ? JSON.stringify(this.selection.filter) : null,
      filters: this.filters.parts.size > 0 ? JSON.stringify([...this.filters.parts]) : null,
      any: this.filters.any,
      view: null,
      ...this.together.link(),
    };
  }

  /** Copies a link that opens what is seen; what no address has room for is saved as a view first. */
  async copyLink(): Promise<void> {
    if (!(await this.search.keepPictures())) return;
    const link = this.link();
    let hash = encodeLink(link);
    if (Object.keys(leftOut(link)).length > 0) {
      const view = await this.stage.attempt(this.viewFor(encodeLink(link, Infinity)));
      if (!view) return;
      hash = `view=${view.id}`;
    }
    await copyLink(hash, "just this view", this.config.dataset);
  }

  /** The same again where somebody copies it twice. */
  private async viewFor(hash: string): Promise<View> {
    const { id } = this.config.dataset;
    const same = (await viewsOf(id)).find((view) => view.mine && !view.shared && view.hash === hash);
    return same ?? saveView(id, { name: "A copied link", hash, shared: false });
  }

  /** Whether all came that is still there: what is missing for now may be asked for again. */
  async follow(link: Link): Promise<boolean> {
    const { missed } = this.stage;
    await this.goAlong(link);
    return this.stage.missed === missed;
  }

  /** A link that is followed by another before its map is there goes no further. */
  private async goAlong(link: Link): Promise<void> {
    const { stage } = this;
    this.followed = link;
    if (link.view) {
      const again = () => this.followed === link && this.goAlong(link);
      const view = await stage.attempt(savedView(this.config.dataset.id, link.view), undefined, again);
      return view && this.followed === link ? this.goAlong({ ...decodeLink(view.hash), view: null }) : undefined;
    }
    await this.under;
    if (link.map && link.map !== stage.entry.space && this.followed === link) await this.switchTo(link.map as Space);
    if (this.followed !== link) return;
    await this.goThere(this.onThisMap(link));
  }

  private async goThere(link: Link): Promise<void> {
    const { stage, look } = this;
    if (link.camera) stage.view.mover.setCamera(link.camera);
    if (link.colour !== null && !sameColours(link, this.link())) look.setColour(link.colour, { ...link, range: this.rangeIn(link) });
    // All at once: what comes late would undo what somebody does meanwhile.
    await Promise.all([this.followRecord(link), this.followSelection(link), this.search.follow(link), this.beside.show(link.beside as Space | null)]);
    await this.together.follow(link);
  }

  /** Without what has no meaning on the map that is shown: another layout has other places and topics. */
  private onThisMap(link: Link): Link {
    const { layout, version } = this.stage.entry;
    const { hidden, of } = link;
    if ((link.layout ?? layout) === layout) return { ...link, hidden: of === null || of === version ? hidden : [] };
    if (link.camera || hidden.length > 0) this.stage.error = "This map was made anew: the place that this address names was on an earlier one.";
    return { ...link, camera: null, hidden: [] };
  }

  private rangeIn({ colour, between, range }: Link): [number, number] | null {
    const column = this.stage.columns.find(({ key }) => key === colour);
    const isRamp = column?.kind === "number" || column?.kind === "date";
    return isRamp && between ? rangeOf(column, between) : range;
  }

  private async followRecord({ record, camera }: Link): Promise<void> {
    if (record === null) this.detail.close();
    else if (record !== this.detail.opened?.record.row) await this.detail.openRow(record, camera === null);
  }

  private async followSelection({ selection, filters, any }: Link): Promise<void> {
    const now = this.link();
    await Promise.all([
      filters !== now.filters || any !== now.any ? this.filters.setAll(readParts(filters), any) : null,
      selection !== now.selection ? this.selection.set(readFilter(selection)) : null,
    ]);
  }
}

const sameColours = (a: Link, b: Link): boolean =>
  JSON.stringify([a.colour, a.off, a.hidden, a.between, a.range, a.ramp]) === JSON.stringify([b.colour, b.off, b.hidden, b.between, b.range, b.ramp]);
