/** Opens one map version in a stage of its own: root tile and manifest are asked for at the same time. */

import { mapFiles, topicsNow } from "./api/maps";
import type { MapEntry } from "./config";
import { currentTheme, onThemeChange } from "./site/theme";
import { tileName, type Labels, type Manifest, type SheetIndex, type Tile } from "./map/manifest";
import { MapView } from "./map/map_view";
import type { Placed } from "./map/sheets";
import type { MapSource } from "./map/source";
import type { Inset } from "./map/viewport";
import { Unseen, type Surface } from "./explorer/surface";
import { Records } from "./records";

/** The panel at the left and the tools at the right, where the screen has room for them beside the map; the search box. */
const SIDE = 304;
const TOOLS = 72;
const BOX = 72;
/** What lies above the second of two maps side by side. */
const BESIDE = 124;
/** Below the strip. */
const EDGE = 16;

/** What the panels cover of the map now. */
function covered(stage: HTMLElement): Inset {
  const wide = innerWidth >= 900;
  const app = stage.parentElement!;
  const second = stage.classList.contains("map-stage-beside");
  const last = second || app.dataset["beside"] === undefined;
  const strip = app.querySelector(".map-strip");
  const { width, height } = strip?.getBoundingClientRect() ?? { width: 0, height: 0 };
  // Hits as a list stand beside the panel at the left.
  const list = wide && strip?.classList.contains("hits-listed");
  const left = wide && !second ? SIDE + (list ? width : 0) : 0;
  return { left, top: second ? BESIDE : BOX, right: wide && last ? TOOLS : 0, bottom: list || !strip ? 0 : height + EDGE };
}

/** What panels lie over the maps. */
const PANELS = ".map-side, .map-search, .map-tools, .map-dock > *, .map-drawer, .map-minimap, .map-beside, .map-status";

function coversOf(stage: HTMLElement): Placed[] {
  const map = stage.getBoundingClientRect();
  return [...stage.parentElement!.querySelectorAll(PANELS)].map((panel) => {
    const { left, top, width, height } = panel.getBoundingClientRect();
    return { left: left - map.left, top: top - map.top, width, height };
  });
}

/** Calls back when a panel comes, goes, or is larger or smaller than before. */
export function watchPanels(app: HTMLElement, changed: () => void): void {
  const sizes = new ResizeObserver(changed);
  const look = (): void => {
    app.querySelectorAll(PANELS).forEach((panel) => sizes.observe(panel));
    changed();
  };
  const coming = new MutationObserver(look);
  for (const holder of [app, ...app.querySelectorAll(".map-dock")]) coming.observe(holder, { childList: true });
  app.addEventListener("animationend", ({ target }) => (target as Element).matches(PANELS) && changed());
  look();
}

const ROOT = "t/0-0-0.atm";

export interface OpenedMap<View extends Surface = Surface> {
  entry: MapEntry;
  view: View;
  /** Whether the map can be seen. */
  readonly drawn: boolean;
  source: MapSource;
  manifest: Manifest;
  records: Records;
  /** Once the first picture is painted; may be asked again after a failure. */
  labels(): Promise<Labels>;
  sheets(): Promise<SheetIndex>;
  /** Whether the first points could not be had. */
  readonly failed: boolean;
  /** Takes the stage off the page. */
  close(): void;
}

/** `second`: beside another. Rejects when the manifest cannot be had; throws NoWebGLError. */
export async function openMap(entry: MapEntry, parent: HTMLElement, second = false): Promise<OpenedMap<MapView>> {
  const source = withRootAhead(mapFiles(entry.base_url));
  const manifest = (await source.json("manifest.json")) as Manifest;
  const stage = document.createElement("div");
  stage.className = "map-stage";
  stage.classList.toggle("map-stage-beside", second);
  parent.prepend(stage);
  let view: MapView;
  try {
    view = new MapView(stage, source, manifest, () => covered(stage), () => coversOf(stage));
  } catch (error) {
    stage.remove();
    throw error;
  }
  view.setLook(currentTheme());
  view.setColumn(manifest.embedded);
  const records = new Records(entry);
  view.pictures.setSource((ordinals) => records.thumbnails(ordinals));
  const stopWatching = onThemeChange((theme) => view.setLook(theme));
  // What the first picture can do without does not compete with it.
  let failed = false;
  const painted = new Promise<void>((resolve) => {
    const ended = (failing: boolean) => () => {
      failed = failing;
      resolve();
    };
    view.events.on("firstpaint", ended(false));
    view.events.on("error", ended(true));
    view.events.on("lost", ended(false));
  });
  return {
    entry,
    view,
    drawn: true,
    source,
    manifest,
    records,
    get failed() {
      return failed;
    },
    labels: () => painted.then(() => labelsOf(entry, source)),
    sheets: () => painted.then(() => source.json("thumbs/index.json") as Promise<SheetIndex>),
    close() {
      stopWatching();
      view.close();
      stage.remove();
    },
  };
}

/** The same map for a list of its records: nothing is drawn. Rejects when the manifest cannot be had. */
export async function openUnseen(entry: MapEntry): Promise<OpenedMap> {
  const source = mapFiles(entry.base_url);
  const manifest = (await source.json("manifest.json")) as Manifest;
  return {
    entry,
    view: new Unseen(manifest.n),
    drawn: false,
    source,
    manifest,
    records: new Records(entry),
    failed: false,
    labels: () => labelsOf(entry, source),
    sheets: () => source.json("thumbs/index.json") as Promise<SheetIndex>,
    close: () => undefined,
  };
}

const labelsOf = (entry: MapEntry, source: MapSource): Promise<Labels> =>
  isRenamed(entry) ? topicsNow(entry) : (source.json("labels.json") as Promise<Labels>);

const isRenamed = ({ renamed }: MapEntry): boolean => Object.keys(renamed).length > 0;

/** Where the points of a tile lie on another map of the same records: what `MapView.morphFrom` asks. */
export const placesBefore =
  (map: OpenedMap, before: MapEntry) =>
  async (tile: Tile): Promise<Uint16Array> =>
    new Uint16Array(await map.source.bytes(`from/${before.version}/${tileName(tile)}.bin`, new AbortController().signal));

function withRootAhead(source: MapSource): MapSource {
  let root: Promise<ArrayBuffer> | null = source.bytes(ROOT, new AbortController().signal);
  // An empty map has no root tile; the error matters only if somebody asks for it.
  root.catch(() => {});
  return {
    ...source,
    bytes(path, signal) {
      if (path !== ROOT || !root) return source.bytes(path, signal);
      const ahead = root;
      root = null;
      return ahead;
    },
  };
}
