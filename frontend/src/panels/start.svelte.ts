/** Puts the panels on the map page and keeps its address in step with what is seen. */

import { mount } from "svelte";
import type { MapConfig, MapEntry } from "../config";
import type { OpenedMap } from "../open_map";
import { Explorer } from "../state.svelte";
import { decodeLink, encodeLink } from "../url";
import ExplorerPanels from "./Explorer.svelte";
import ListView from "./ListView.svelte";

const ADDRESS_MS = 300;
const CROSSFADE_MS = 300;

export function startPanels(
  app: HTMLElement,
  config: MapConfig,
  first: OpenedMap,
  open: (entry: MapEntry) => Promise<OpenedMap>,
): void {
  let shown = first;
  const explorer = new Explorer(config, async (entry) => {
    const next = await open(entry);
    await crossfade(shown, next);
    shown = next;
    return next;
  });
  explorer.adopt(first);
  mount(ExplorerPanels, { target: app, props: { explorer } });
  syncAddress(explorer);
}

export async function startList(app: HTMLElement, config: MapConfig, entry: MapEntry): Promise<void> {
  mount(ListView, { target: app, props: { config, entry } });
}

/** The new map lies under the old one until it has something to show. */
async function crossfade(from: OpenedMap, to: OpenedMap): Promise<void> {
  await new Promise<void>((resolve) => {
    to.view.events.on("firstpaint", () => resolve());
    to.view.events.on("error", () => resolve());
  });
  from.view.canvas.parentElement!.dataset["state"] = "going";
  setTimeout(() => from.close(), CROSSFADE_MS);
}

/**
 * Camera moves replace the address; opening a record, a search and another map add to the history, so that "back" undoes
 * them.
 */
function syncAddress(explorer: Explorer): void {
  let following = explorer.follow(decodeLink(location.hash));
  let timer: ReturnType<typeof setTimeout> | undefined;
  let steps = "";
  const write = () => {
    const link = explorer.link();
    const address = `#${encodeLink(link)}`;
    const now = JSON.stringify([link.map, link.query, link.record]);
    if (steps && steps !== now) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
    steps = now;
  };
  void following.then(() => {
    steps = "";
    $effect.root(() => {
      $effect(() => {
        explorer.link();
        clearTimeout(timer);
        timer = setTimeout(() => void following.then(write), ADDRESS_MS);
      });
    });
  });
  addEventListener("popstate", () => {
    const link = decodeLink(location.hash);
    clearTimeout(timer);
    following = explorer.follow(link).then(() => {
      clearTimeout(timer);
      if (link.record === null) explorer.closeRecord();
      if (!link.query && explorer.hits) explorer.clearSearch();
      steps = JSON.stringify([link.map, link.query, link.record]);
    });
  });
}
