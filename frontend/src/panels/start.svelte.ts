/** Puts the panels on the map page and keeps its address in step with what is seen. */

import { mount, untrack } from "svelte";
import type { MapConfig, MapEntry } from "../config";
import type { Focus } from "../map/morph";
import { openMap, placesBefore, type OpenedMap } from "../open_map";
import { Explorer } from "../explorer/explorer.svelte";
import { decodeLink, encodeLink, leftOut, type Link } from "../url";
import ExplorerPanels from "./Explorer.svelte";
import ListView from "./ListView.svelte";

const ADDRESS_MS = 300;

export function startPanels(
  app: HTMLElement,
  config: MapConfig,
  first: OpenedMap,
  open: (entry: MapEntry) => Promise<OpenedMap>,
): void {
  let shown = first;
  const explorer = new Explorer(config, async (entry, focus) => {
    const next = await open(entry);
    await morph(shown, next, focus);
    shown = next;
    return next;
  }, (entry) => openMap(entry, app, true));
  explorer.adopt(first);
  mount(ExplorerPanels, { target: app, props: { explorer } });
  explorer.together.start();
  syncAddress(explorer);
}

/** `able`: the browser could draw the map too. */
export function startList(app: HTMLElement, config: MapConfig, entry: MapEntry, able: boolean): void {
  const link = decodeLink(location.hash || `#${config.start ?? ""}`);
  app.replaceChildren();
  mount(ListView, { target: app, props: { config, entry, link, able } });
}

/** Every point travels from its old place; a map that cannot be shown leaves the old one as it is. */
async function morph(from: OpenedMap, to: OpenedMap, focus: Focus | null): Promise<void> {
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
  const stepsOf = ({ map, query, parts, against, mode, record, selection, filters, any }: Link) =>
    JSON.stringify([map, query, parts, against, mode, record, selection, filters, any]);
  const write = (way: "pushState" | "replaceState") => {
    const link = explorer.link();
    history[way](leftOut(link), "", `#${encodeLink(link)}`);
    steps = stepsOf(link);
  };
  const keep = () => {
    clearTimeout(timer);
    if (explorer.switching || under > 0) return;
    explorer.past.note(explorer.moment());
    if (stepsOf(explorer.link()) !== steps) write("pushState");
    else timer = setTimeout(() => write("replaceState"), ADDRESS_MS);
  };
  // What is on its way to an address is no step of its own.
  const follow = async () => {
    under++;
    clearTimeout(timer);
    const link = decodeLink(location.hash || `#${explorer.config.start ?? ""}`);
    await explorer.follow({ ...link, ...(history.state as Partial<Link> | null) });
    under--;
    steps = stepsOf(explorer.link());
    keep();
  };
  void follow().then(() => {
    $effect.root(() => {
      $effect(() => {
        void [explorer.link(), explorer.moment(), explorer.switching];
        untrack(keep);
      });
    });
    addEventListener("popstate", () => void follow());
  });
}
