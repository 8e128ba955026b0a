/** Puts the panels on the map page and keeps its address in step with what is seen. */

import { mount, untrack } from "svelte";
import type { MapConfig, MapEntry } from "../config";
import type { Focus } from "../map/morph";
import type { MapView } from "../map/map_view";
import { openMap, openUnseen, placesBefore, watchPanels, type OpenedMap } from "../open_map";
import { Explorer } from "../explorer/explorer.svelte";
import { titled, withoutKey } from "../query";
import { decodeLink, encodeLink, leftOut, type Link } from "../url";
import ExplorerPanels from "./Explorer.svelte";

const ADDRESS_MS = 300;

export function startPanels(
  app: HTMLElement,
  config: MapConfig,
  first: OpenedMap<MapView>,
  open: (entry: MapEntry) => Promise<OpenedMap<MapView>>,
): void {
  let shown = first;
  const explorer = new Explorer(config, async (entry, focus) => {
    const next = await open(entry);
    await morph(shown, next, focus);
    shown = next;
    return next;
  }, (entry) => openMap(entry, app, true));
  begin(app, explorer, first, true);
}

/** The same without a map: its records are listed. `able`: the browser could draw it. */
export function startList(app: HTMLElement, config: MapConfig, first: OpenedMap, able: boolean): void {
  app.replaceChildren();
  begin(app, new Explorer(config, openUnseen, null), first, able);
}

function begin(app: HTMLElement, explorer: Explorer, first: OpenedMap, able: boolean): void {
  explorer.adopt(first);
  mount(ExplorerPanels, { target: app, props: { explorer, able } });
  // The names of topics keep out of what panels cover.
  watchPanels(app, () => [explorer.stage.view, explorer.beside.map?.view].forEach((view) => view?.invalidate()));
  explorer.together.start();
  syncAddress(explorer);
}

/** Every point travels from its old place; a map that cannot be shown leaves the old one as it is. */
async function morph(from: OpenedMap<MapView>, to: OpenedMap<MapView>, focus: Focus | null): Promise<void> {
  try {
    await to.view.morphFrom(from.view, placesBefore(to, from.entry), focus);
  } catch (error) {
    to.close();
    throw error;
  }
  from.close();
}

/**
 * Opening a record, selecting, filtering, a search and another map add to the history at once, so that "back" undoes them;
 * camera moves and colours replace the address after a while. A selection that an address has no room for stays in the
 * history of this browser.
 */
function syncAddress(explorer: Explorer): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let steps = "";
  let under = 0;
  /** What a link named and could not be had for now stays in the address until somebody takes a step. */
  let held = false;
  const { title } = document;
  const stepsOf = ({ map, query, parts, against, mode, record, selection, filters, any }: Link) =>
    JSON.stringify([map, query, parts.map(withoutKey), against, mode, record, selection, filters, any]);
  const write = (way: "pushState" | "replaceState") => {
    const link = explorer.link();
    held = false;
    history[way](leftOut(link), "", `#${encodeLink(link)}`);
    steps = stepsOf(link);
  };
  const keep = () => {
    clearTimeout(timer);
    // A new address costs the browser as much as a frame: while a search is out nothing else is done.
    if (explorer.switching || explorer.search.searching || under > 0) return;
    explorer.past.note(explorer.moment());
    if (stepsOf(explorer.link()) !== steps) write("pushState");
    else if (!held) timer = setTimeout(() => write("replaceState"), ADDRESS_MS);
    // Not before: the step before this one keeps its own.
    document.title = titled(explorer.search.asked, title);
  };
  // What is on its way to an address is no step of its own.
  const follow = async () => {
    under++;
    held = false;
    clearTimeout(timer);
    try {
      const link = decodeLink(location.hash || `#${explorer.config.start}`);
      const all = await explorer.follow({ ...link, ...(history.state as Partial<Link> | null) });
      if (!all) held = true;
    } finally {
      under--;
      steps = stepsOf(explorer.link());
      keep();
    }
  };
  void follow().finally(() => {
    $effect.root(() => {
      $effect(() => {
        void [explorer.link(), explorer.moment(), explorer.switching, explorer.search.searching];
        untrack(keep);
      });
    });
    addEventListener("popstate", () => void follow());
  });
}
