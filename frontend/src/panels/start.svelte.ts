/** Puts the panels on the map page and keeps its address in step with what is seen. */

import { mount } from "svelte";
import type { MapConfig, MapEntry } from "../config";
import { placesBefore, type OpenedMap } from "../open_map";
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
  const explorer = new Explorer(config, async (entry) => {
    const next = await open(entry);
    await morph(shown, next);
    shown = next;
    return next;
  });
  explorer.adopt(first);
  mount(ExplorerPanels, { target: app, props: { explorer } });
  explorer.together.start();
  syncAddress(explorer);
}

export async function startList(app: HTMLElement, config: MapConfig, entry: MapEntry): Promise<void> {
  mount(ListView, { target: app, props: { config, entry } });
}

/** Every point travels from its old place; a map that cannot be shown leaves the old one as it is. */
async function morph(from: OpenedMap, to: OpenedMap): Promise<void> {
  try {
    await to.view.morphFrom(from.view, placesBefore(to, from.entry));
  } catch (error) {
    to.close();
    throw error;
  }
  from.close();
}

/**
 * A selection that an address has no room for stays in the history of this browser. Camera moves replace the address; opening a record, a search and another map add to the history, so that "back" undoes
 * them.
 */
function syncAddress(explorer: Explorer): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let steps: string | null = null;
  const stepsOf = ({ map, query, parts, against, mode, record, selection, filters, any }: Link) =>
    JSON.stringify([map, query, parts, against, mode, record, selection, filters, any]);
  const write = () => {
    const link = explorer.link();
    const address = `#${encodeLink(link)}`;
    const now = stepsOf(link);
    if (steps !== null && steps !== now) history.pushState(leftOut(link), "", address);
    else history.replaceState(leftOut(link), "", address);
    steps = now;
  };
  const follow = async () => {
    await explorer.follow({ ...decodeLink(location.hash || `#${explorer.config.start ?? ""}`), ...(history.state as Partial<Link> | null) });
    clearTimeout(timer);
    steps = stepsOf(explorer.link());
  };
  void follow().then(() => {
    $effect.root(() => {
      $effect(() => {
        explorer.link();
        explorer.past.note(explorer.moment());
        clearTimeout(timer);
        if (!explorer.switching) timer = setTimeout(write, ADDRESS_MS);
      });
    });
    addEventListener("popstate", () => void follow());
  });
}
