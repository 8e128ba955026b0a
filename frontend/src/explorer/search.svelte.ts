/** What was asked, and the hits. */

import { recordOf, type MapRecord } from "../api/maps";
import { search, type Answer, type QueryPart } from "../api/search";
import type { Hit } from "../map/hits_pass";
import { chipOf, NOTHING_ASKED, partsOf, rowsOf, textChip, wordsOf, type Asked } from "../query";
import type { Link } from "../url";
import type { Filters } from "./filters.svelte";
import { placed, type Stage } from "./stage.svelte";

export interface SearchHit extends Hit {
  row: number;
  /** As the server scored it. */
  raw: number;
}

const HITS = 500;

export class Search {
  asked = $state.raw<Asked>(NOTHING_ASKED);
  searching = $state(false);
  hits = $state.raw<SearchHit[] | null>(null);
  /** Hits above the cut, and how many are shown. */
  relevant = $state(0);
  shown = $state(0);

  private asking = new AbortController();

  constructor(
    private readonly stage: Stage,
    private readonly filters: Filters,
  ) {}

  ask(asked: Asked): Promise<void> {
    this.asked = asked;
    const parts = partsOf(asked);
    return parts.length > 0 ? this.search(parts) : Promise.resolve(this.clear());
  }

  /** The same question on another map. */
  again(): Promise<void> {
    this.hits = null;
    return this.ask(this.asked);
  }

  /** The same question among the records that the filters leave. */
  refresh(): void {
    const parts = partsOf(this.asked);
    if (parts.length > 0) void this.search(parts);
  }

  similar(record: MapRecord): Promise<void> {
    return this.ask({ text: "", chips: [chipOf(record)] });
  }

  private async search(parts: QueryPart[]): Promise<void> {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const { config, entry } = this.stage;
    this.searching = true;
    const answer = await this.stage.attempt(search(config.dataset.id, { map: entry.id, parts, limit: HITS, filter: this.filters.filter }, signal), signal);
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
    this.stage.view.setHits((this.hits ?? []).slice(0, many), this.hits !== null);
  }

  clear(): void {
    this.asking.abort();
    this.searching = false;
    this.asked = NOTHING_ASKED;
    this.hits = null;
    this.showHits(0);
  }

  async records(from: number, to: number): Promise<MapRecord[]> {
    const ordinals = (this.hits ?? []).slice(from, to).map((hit) => hit.ordinal);
    return (await this.stage.attempt(this.stage.records.all(ordinals))) ?? [];
  }

  async follow({ query, words, like }: Link): Promise<void> {
    const now = this.asked;
    const same = now.text === query && wordsOf(now.chips).join() === words.join() && rowsOf(now.chips).join() === like.join();
    if (same) return;
    const chips = words.map((word) => textChip(word.slice(1), word.startsWith("+")));
    for (const sign of like) {
      const record = await this.stage.attempt(recordOf(this.stage.entry, Math.abs(Number(sign))));
      if (record) chips.push({ ...chipOf(record), wanted: !sign.startsWith("-") });
    }
    await this.ask({ text: query, chips });
  }
}
