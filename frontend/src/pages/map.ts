/**
 * The map page. Its HTML:
 *
 *   <body class="map-body"> … the top bar … <main class="map-app" id="main"></main>
 *   <script type="application/json" id="config">{"dataset": {"id", "name", "url"},
 *     "maps": [{"id", "space", "version", "base_url", "count"}, …]}</script>
 *
 * The map itself comes first; the panels around it are loaded while it is being drawn.
 */

import { readConfig, type MapEntry } from "../config";
import { NoWebGLError, type MapView } from "../map/map_view";
import { openMap, openUnseen, type OpenedMap } from "../open_map";
import * as text from "../text";
import { decodeLink } from "../url";

const app = document.getElementById("main")!;
const listWanted = new URLSearchParams(location.search).has("list");

void start();

async function start(): Promise<void> {
  const config = readConfig();
  const link = decodeLink(location.hash || `#${config.start}`);
  const entry = config.maps.find((map) => map.space === link.map) ?? config.maps[0];
  if (!entry) return showBlank("There is no map yet", "It appears here once the dataset has been embedded.", backTo(config.dataset.url));
  const panels = import("../panels/start.svelte");
  try {
    const map = await drawn(entry);
    if (!map) return (await panels).startList(app, config, await openUnseen(entry), listWanted);
    if (link.camera && (link.layout ?? entry.layout) === entry.layout) map.view.mover.setCamera(link.camera);
    await firstPaint(map);
    (await panels).startPanels(app, config, map, (other: MapEntry) => openMap(other, app));
  } catch (error) {
    showBlank("The map could not be opened", text.reason(error), again());
  }
}

/** Null where a list is wanted, or all that can be had. */
async function drawn(entry: MapEntry): Promise<OpenedMap<MapView> | null> {
  if (listWanted) return null;
  try {
    return await openMap(entry, app);
  } catch (error) {
    if (error instanceof NoWebGLError) return null;
    throw error;
  }
}

const firstPaint = (map: OpenedMap): Promise<void> =>
  new Promise((resolve) => {
    map.view.events.on("firstpaint", () => resolve());
    map.view.events.on("error", () => resolve());
    map.view.events.on("lost", () => resolve());
  });

function showBlank(title: string, text: string, wayOut: HTMLElement): void {
  const box = document.createElement("div");
  box.className = "map-blank";
  const inner = document.createElement("div");
  inner.className = "empty";
  const heading = document.createElement("h1");
  heading.textContent = title;
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  wayOut.className = "button";
  inner.append(heading, paragraph, wayOut);
  box.append(inner);
  app.append(box);
}

function backTo(dataset: string): HTMLElement {
  const link = document.createElement("a");
  link.href = dataset;
  link.textContent = "Back to the dataset";
  return link;
}

/** No link: one to an address with a "#" would stay on the page as it is. */
function again(): HTMLElement {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Try again";
  button.addEventListener("click", () => location.reload());
  return button;
}
