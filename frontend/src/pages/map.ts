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
import { NoWebGLError } from "../map/map_view";
import { openMap, type OpenedMap } from "../open_map";
import { decodeLink } from "../url";

const app = document.getElementById("main")!;

void start();

async function start(): Promise<void> {
  const config = readConfig();
  const link = decodeLink(location.hash || `#${config.start ?? ""}`);
  const entry = config.maps.find((map) => map.space === link.map) ?? config.maps[0];
  if (!entry) return showBlank("There is no map yet", "It appears here once the dataset has been embedded.", config.dataset.url);
  const panels = import("../panels/start.svelte");
  if (new URLSearchParams(location.search).has("list")) return (await panels).startList(app, config, entry, true);
  try {
    const map = await openMap(entry, app);
    if (link.camera) map.view.setCamera(link.camera);
    await firstPaint(map);
    (await panels).startPanels(app, config, map, (other: MapEntry) => openMap(other, app));
  } catch (error) {
    if (error instanceof NoWebGLError) (await panels).startList(app, config, entry, false);
    else showBlank("The map could not be opened", error instanceof Error ? error.message : String(error), location.href);
  }
}

const firstPaint = (map: OpenedMap): Promise<void> =>
  new Promise((resolve) => {
    map.view.events.on("firstpaint", () => resolve());
    map.view.events.on("error", () => resolve());
  });

function showBlank(title: string, text: string, href: string): void {
  const box = document.createElement("div");
  box.className = "map-blank";
  const inner = document.createElement("div");
  inner.className = "empty";
  const heading = document.createElement("h1");
  heading.textContent = title;
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  const link = document.createElement("a");
  link.className = "button";
  link.href = href;
  link.textContent = href === location.href ? "Try again" : "Back to the dataset";
  inner.append(heading, paragraph, link);
  box.append(inner);
  app.append(box);
}
