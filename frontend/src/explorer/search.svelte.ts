/** What was asked, and the hits. */

import { recordOf, type MapRecord } from "../api/maps";
import { glow, search, type Against, type Answer, type Mode, type QueryPart } from "../api/search";
import { countAbove } from "../cut";
import type { Hit } from "../map/hits_pass";
import { chipOf, NOTHING_ASKED, partsOf, rowsOf, textChip, wordsOf, type Asked } from "../query";
import type { Link } from "../url";
import type { Filters } from "./filters.svelte";
import { placed, type Stage } from "./stage.svelte";

export interface SearchHit extends Hit {
  row: number;
  /** As the server scored it. */
  raw: number;
  /** The score of every part of the query. */
  parts: number[];
  /** Its place among the hits by words, from 1. */
  words: number | null;
}

const HITS = 500;
/** The server gives no more. */
const MOST_HITS = 5000;
/** Hits that lie closer together than this, in pixels, are looked at from nearer. */
const TINY = 60;

export class Search {
  asked = $state.raw<Asked>(NOTHING_ASKED);
  searching = $state(false);
  hits = $state.raw<SearchHit[] | null>(null);
  /** Hits above the cut, and how many are shown. */
  relevant = $state(0);
  shown = $state(0);
  against = $state<Against>("both");
  mode = $state<Mode>("best");
  /** Whether the relevance of all points is shown. */
  glowing = $state(false);
  /** What the server said besides the hits. */
  answer = $state.raw<Answer | null>(null);
  /** The score from which on records are hits; null without scores. */
  cut = $state<number | null>(null);

  private asking = new AbortController();
  /** The camera was set by a link: the hits do not move it. */
  private staying = false;

  constructor(
    private readonly stage: Stage,
    private readonly filters: Filters,
  ) {}

  async ask(asked: Asked): Promise<void> {
    this.asked = asked;
    const parts = partsOf(asked);
    if (parts.length > 0) await this.search(parts);
    else this.clear();
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

  /** The query as it is, and further from this record. */
  unlike(record: MapRecord): Promise<void> {
    return this.ask({ ...this.asked, chips: [...this.asked.chips, { ...chipOf(record), wanted: false }] });
  }

  similar(record: MapRecord): Promise<void> {
    return this.ask({ text: "", chips: [chipOf(record)] });
  }

  setAgainst(against: Against): Promise<void> {
    this.against = against;
    return this.ask(this.asked);
  }

  setMode(mode: Mode): Promise<void> {
    this.mode = mode;
    return this.ask(this.asked);
  }

  async setGlowing(glowing: boolean): Promise<void> {
    this.glowing = glowing;
    await this.showGlow(partsOf(this.asked), this.asking.signal);
  }

  private async search(parts: QueryPart[], limit = HITS): Promise<boolean> {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const { config, entry, camera } = this.stage;
    const query = { map: entry.id, parts, against: this.against, mode: this.mode, limit, filter: this.filters.filter };
    this.searching = true;
    const answer = await this.stage.attempt(search(config.dataset.id, query, signal), signal);
    if (signal.aborted) return false;
    this.searching = false;
    if (!answer) return false;
    this.show(answer);
    // Whoever moved meanwhile, or came by a link with a place, wants to be there.
    if (limit === HITS && !this.staying && this.stage.camera === camera) this.frame();
    await this.showGlow(parts, signal);
    return true;
  }

  private show(answer: Answer): void {
    const { hits, relevant } = answer;
    const scores = hits.map((hit) => hit.score);
    const best = Math.max(...scores);
    const span = best - Math.min(...scores) || 1;
    this.hits = hits.flatMap((hit) => {
      const place = placed(hit);
      return place ? [{ ...hit, ...place, raw: hit.score, score: 1 - (best - hit.score) / span }] : [];
    });
    this.answer = answer;
    this.cut = answer.cut;
    this.relevant = Math.min(relevant, this.hits.length);
    this.showHits(this.relevant);
  }

  private async showGlow(parts: QueryPart[], signal: AbortSignal): Promise<void> {
    const { entry, view } = this.stage;
    if (!this.glowing || parts.length === 0 || this.answer?.mode === "words") return view.setGlow(null);
    const bytes = await this.stage.attempt(glow(entry.id, parts, this.against, entry.version, signal), signal);
    if (bytes && !signal.aborted && this.glowing) view.setGlow(bytes);
  }

  /** How many of the hits, best first, are shown on the map. */
  showHits(many: number): void {
    this.shown = many;
    this.stage.view.setHits((this.hits ?? []).slice(0, many), this.hits !== null);
  }

  /** The cut decides how many, the order of the hits which. */
  setCut(cut: number): void {
    const { histogram } = this.answer ?? {};
    if (!histogram || !this.hits) return;
    this.cut = cut;
    this.showHits(Math.min(countAbove(histogram, cut), this.hits.length));
  }

  /** Asks for the hits that the cut took in beyond those that are here. */
  async fillCut(): Promise<void> {
    const { cut, answer } = this;
    if (cut === null || !answer?.histogram) return;
    const wanted = Math.min(countAbove(answer.histogram, cut), MOST_HITS);
    if (wanted <= answer.hits.length || answer.hits.length >= MOST_HITS) return;
    if (await this.search(partsOf(this.asked), MOST_HITS)) this.setCut(cut);
  }

  resetCut(): void {
    this.cut = this.answer?.cut ?? null;
    this.showHits(this.relevant);
  }

  /** Flies to the hits when none is in view or all are too close together to tell apart. */
  private frame(): void {
    const { view } = this.stage;
    const hits = (this.hits ?? []).slice(0, this.shown);
    if (hits.length === 0) return;
    const { clientWidth: width, clientHeight: height } = view.canvas;
    const places = hits.map(({ x, y }) => view.screen(x, y));
    const visible = places.some(([x, y]) => x > 0 && x < width && y > 0 && y < height);
    const extent = (side: 0 | 1) => Math.max(...places.map((place) => place[side])) - Math.min(...places.map((place) => place[side]));
    if (visible && (hits.length === 1 || Math.max(extent(0), extent(1)) > TINY)) return;
    const xs = hits.map((hit) => hit.x);
    const ys = hits.map((hit) => hit.y);
    view.flyToBox({ x0: Math.min(...xs), y0: Math.min(...ys), x1: Math.max(...xs), y1: Math.max(...ys) });
  }

  clear(): void {
    this.asking.abort();
    this.searching = false;
    this.asked = NOTHING_ASKED;
    this.hits = null;
    this.answer = null;
    this.cut = null;
    this.showHits(0);
    this.stage.view.setGlow(null);
  }

  async records(from: number, to: number): Promise<MapRecord[]> {
    const ordinals = (this.hits ?? []).slice(from, to).map((hit) => hit.ordinal);
    return (await this.stage.attempt(this.stage.records.all(ordinals))) ?? [];
  }

  async follow({ camera, query, words, like, against, mode, glow }: Link): Promise<void> {
    const now = this.asked;
    const asked = now.text === query && wordsOf(now.chips).join() === words.join() && rowsOf(now.chips).join() === like.join();
    if (asked && this.against === against && this.mode === mode && this.glowing === glow) return;
    const chips = words.map((word) => textChip(word.slice(1), word.startsWith("+")));
    for (const sign of like) {
      const record = await this.stage.attempt(recordOf(this.stage.entry, Math.abs(Number(sign))));
      if (record) chips.push({ ...chipOf(record), wanted: !sign.startsWith("-") });
    }
    Object.assign(this, { against, mode, glowing: glow });
    this.staying = camera !== null;
    await this.ask({ text: query, chips });
    this.staying = false;
  }
}
