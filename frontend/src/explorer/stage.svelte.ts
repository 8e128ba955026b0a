/** What every part of the explorer stands on: the map that is shown, its records, and where errors are told. */

import { ApiError } from "../api/http";
import { mapsNow, type MapAddress } from "../api/maps";
import type { MapConfig } from "../config";
import { inLayouts } from "../filters";
import type { Topic } from "../map/manifest";
import type { Found } from "../map/pick";
import type { Camera } from "../map/viewport";
import type { OpenedMap } from "../open_map";
import type { Records } from "../records";
import * as text from "../text";
import type { Surface } from "./surface";

export class Stage {
  map = $state.raw<OpenedMap>(null!);
  /** Of the map that is shown, once they are known. */
  topics = $state.raw<Topic[]>([]);
  camera = $state.raw<Camera>({ x: 0.5, y: 0.5, k: 1 });
  error = $state<string | null>(null);
  /** Whether newer versions took the place of the maps of this page, so that something was not there any more. */
  outdated = $state(false);
  /** How often records were removed on this page. */
  removals = $state(0);
  /** Records that the dataset has, as far as this page knows. */
  recordCount = $state(0);
  /** Whether the browser has stopped drawing the map. */
  lost = $state(false);
  /** Counts what could not be had and may be there all the same. */
  missed = 0;
  /** What "try again" does; empty where it could do nothing. */
  again = $state.raw<ReadonlySet<() => void>>(new Set());

  readonly entry = $derived(this.map.entry);
  readonly columns = $derived(this.map.manifest.columns);
  /** Whether the map has points of records that were removed, until a newer one is there. */
  readonly stale = $derived.by(() => this.removals > 0 || this.entry.count > this.recordCount);
  /** Whether the map can be seen; if not, its records are listed. */
  readonly drawn = $derived(this.map.drawn);

  constructor(readonly config: MapConfig) {
    this.recordCount = config.dataset.record_count;
  }

  adopt(map: OpenedMap): void {
    this.again = new Set();
    this.map = map;
    this.topics = [];
    this.camera = map.view.mover.camera;
    this.lost = map.view.lost;
  }

  get view(): Surface {
    return this.map.view;
  }

  get records(): Records {
    return this.map.records;
  }

  /**
   * A filter, or a part of a query, as the server is asked for it: its topics and regions are those of the maps on this page,
   * which need not be the newest any more. Links and views name a layout: where the maps on this page have another, the server looks for it.
   */
  asShown<T>(content: T): T {
    return inLayouts(content, this.config.maps);
  }

  /** Says that something could not be had, and how to have it after all. */
  fail(message: string, again: () => void): void {
    this.missed++;
    this.error = message;
    this.again = new Set([...this.again, again]);
  }

  /** Shows what a map's files say, unless another map is shown by then; a failure is said, and asked for again on request. */
  ask<T>(map: OpenedMap, problem: string, asked: () => Promise<T>, show: (found: T) => void): void {
    asked().then(
      (found) => this.map === map && show(found),
      (error: unknown) => this.tell(error, () => this.map === map && this.fail(problem, () => this.ask(map, problem, asked, show))),
    );
  }

  dismiss(): void {
    this.error = null;
    this.again = new Set();
  }

  retry(): void {
    const { again } = this;
    this.dismiss();
    again.forEach((ask) => ask());
  }

  /** The result, or null with the error told. What was aborted is told to nobody. `again` asks once more, where that may help. */
  async attempt<T>(work: Promise<T>, signal?: AbortSignal, again?: () => unknown): Promise<T | null> {
    try {
      return await work;
    } catch (error) {
      const told = (reason: string): void => {
        if (signal?.aborted) return;
        if (again && isPassing(error)) this.fail(reason, () => signal?.aborted || again());
        else this.error = reason;
      };
      if (!signal?.aborted) await this.tell(error, told);
      return null;
    }
  }

  /** Says that a newer map is there where that is why something was not; else calls back with the reason. */
  async tell(error: unknown, otherwise: (reason: string) => unknown): Promise<void> {
    const now = isMissing(error) ? await mapsNow(this.config.dataset.id).catch((reason: unknown) => reason) : null;
    if (isMissing(now) && this.config.signed_in) this.fail(SIGNED_OUT, () => location.reload());
    // Without an answer what failed first is all that can be said.
    else if (!Array.isArray(now) || !this.isOutdated(now as MapAddress[])) otherwise(text.reason(error));
    else {
      this.missed++;
      this.outdated = true;
    }
  }

  /** Whether newer versions are there; says so. Without an answer nobody knows. */
  async lookForNewer(): Promise<boolean> {
    const now = await mapsNow(this.config.dataset.id).catch(() => []);
    if (this.isOutdated(now)) this.outdated = true;
    return this.outdated;
  }

  private isOutdated(now: MapAddress[]): boolean {
    return now.some(({ id, version }) => this.config.maps.some((map) => map.id === id && map.version !== version));
  }
}

const SIGNED_OUT = "You were signed out, or this dataset is not there any more. Reload the page.";

const isMissing = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

/** Whether the same request may be answered a little later: the server said no more than that it could not, or nothing at all. */
export const isPassing = (error: unknown): boolean => !(error instanceof ApiError) || error.status >= 500 || error.status === 429;

/** Where a record is on the map, if it is on it. */
export function placed({ ordinal, x, y }: { ordinal: number | null; x: number | null; y: number | null }): Found | null {
  return ordinal === null || x === null || y === null ? null : { ordinal, x, y };
}
