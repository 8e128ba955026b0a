/** What was asked, and the hits. */

import { tick } from "svelte";
import type { MapRecord } from "../api/maps";
import { ApiError } from "../api/http";
import { glow, search, type Against, type Answer, type Mode, type Query, type QueryPart } from "../api/search";
import { afterFrame } from "../after_frame";
import { Again } from "../again";
import { countAbove } from "../cut";
import { asksTags, type Filter } from "../filters";
import { NOTHING_ASKED, partsOf, readPart, recordChip, writePart, type Asked, type Chip } from "../query";
import { hasUnkept, withKeys } from "../query_pictures";
import type { Camera } from "../map/viewport";
import type { Link } from "../url";
import { chipOf } from "./chips";
import type { Filters } from "./filters.svelte";
import { hitsOf, type SearchHit } from "./hits";
import { isPassing, type Stage } from "./stage.svelte";

/** So many come at once; when more are relevant, the others follow, up to what the server gives. */
const HITS = 500;
const MOST_HITS = 5000;
/** Hits that lie closer together than this, in pixels, are looked at from nearer. */
const TINY = 60;
/** Hits of one place keep so much of their surroundings, in world units. */
const SMALLEST = 0.02;

export class Search {
  asked = $state.raw<Asked>(NOTHING_ASKED);
  searching = $state(false);
  /** Whether what is searched for are more hits of a question that was answered. */
  filling = $state(false);
  /** Why there is no answer. */
  problem = $state<string | null>(null);
  answer = $state.raw<Answer | null>(null);
  /** What `answer` is the answer to. */
  answered = $state.raw<Query | null>(null);
  /** Those that are on this map, in the server's order. */
  hits = $state.raw<SearchHit[] | null>(null);
  against = $state<Against>("both");
  mode = $state<Mode>("best");
  /** Whether the relevance of all points is shown. */
  glowing = $state(false);
  /** Whether the hits stand one below the other. */
  listed = $state(false);
  /** Where somebody moved the cut. */
  moved = $state<number | null>(null);

  /** Changes with the question, not with each answer to it. */
  readonly question = $derived(this.answered && questionOf(this.answered));
  /** The score from which on records are hits; null without scores. */
  readonly cut: number | null = $derived(this.answer && this.cutOf(this.answer));
  readonly relevant: SearchHit[] = $derived((this.hits ?? []).filter((hit) => this.isRelevant(hit.raw, hit.sure)));
  /** The relevant ones first, then what the cut leaves out. */
  readonly ordered: SearchHit[] = $derived([...this.relevant, ...(this.hits ?? []).filter((hit) => !this.isRelevant(hit.raw, hit.sure))]);
  /** How many records are relevant, whether they are here, and on this map, or not. */
  readonly total: number = $derived(this.count());
  /** The rows of the relevant ones that are here, whether they are on this map or not. */
  readonly rows: number[] = $derived((this.answer?.hits ?? []).filter((hit) => this.isRelevant(hit.score, hit.sure)).map(({ row }) => row));
  /** How many of those are not on this map. */
  readonly elsewhere: number = $derived(this.rows.length - this.relevant.length);

  private asking = new AbortController();
  /** More hits of the same question leave the glow alone: it is asked for, and ended, by itself. */
  private lighting = new AbortController();
  /** What the glow is of, or is asked for. */
  private lit: Query | null = null;
  private readonly patience = new Again();
  /** The camera was set by a link: the hits do not move it. */
  private staying = false;
  /** Where somebody asked what was not answered yet; null: its hits do not move the camera. */
  private from: Camera | null = null;
  /** Counts the questions, and the links that ask one. */
  private turn = 0;

  constructor(
    private readonly stage: Stage,
    private readonly filters: Filters,
  ) {}

  private cutOf({ histogram, cut }: Answer): number | null {
    return histogram ? (this.moved ?? cut) : null;
  }

  /** Without scores what has all of the words; whoever moves the cut goes by the scores alone: else nothing would
      leave that has the words. */
  private isRelevant(score: number, sure: boolean, cut = this.cut): boolean {
    return cut === null ? sure : score >= cut || (sure && this.moved === null);
  }

  private count(): number {
    const { answer, cut } = this;
    if (!answer) return 0;
    if (this.moved === null || cut === null || !answer.histogram) return answer.relevant;
    const { hits, searched } = answer;
    const here = hits.filter(({ score }) => score >= cut).length;
    // Only words lift a hit over what scores more: all above the cut are here when one without them is that is below it.
    const all = hits.length >= searched || hits.some(({ score, words }) => words === null && score < cut);
    return all ? here : Math.max(here, countAbove(answer.histogram, cut));
  }

  private get query(): Omit<Query, "limit"> {
    const { against, mode } = this;
    const { id: map, version } = this.stage.entry;
    return { map, version, parts: this.stage.asShown(partsOf(this.asked)), against, mode, filter: this.stage.asShown(this.filters.filter) };
  }

  // --- asking -------------------------------------------------------------------------------------------------

  async ask(asked: Asked, moved: number | null = null): Promise<void> {
    this.turn++;
    this.asked = asked;
    this.moved = moved;
    this.problem = null;
    this.patience.begin();
    this.begin();
    if (partsOf(asked).length > 0) await Promise.all([this.search(), this.keepPictures()]);
    else this.clear();
  }

  /** Lets the server keep the pictures of the query, so that links can name them; whether it has them all. */
  async keepPictures(): Promise<boolean> {
    const { asked } = this;
    if (!hasUnkept(asked)) return true;
    const kept = await this.stage.attempt(withKeys(asked, this.stage.config.dataset.id));
    if (kept && this.asked === asked) this.asked = kept;
    return kept !== null;
  }

  /** The same question on another map. */
  async again(): Promise<void> {
    this.endGlow();
    this.hits = null;
    this.begin();
    if (partsOf(this.asked).length > 0) await this.search();
  }

  /** The same question among the records that the filters leave. */
  refresh(): void {
    this.begin();
    if (partsOf(this.asked).length > 0) void this.search();
  }

  private begin(): void {
    this.from = this.staying ? null : this.stage.camera;
  }

  /** As for the filters. */
  tagsChanged(isGone: (part: Filter) => boolean): void {
    const { text, chips } = this.asked;
    const filters = chips.map(({ subject }) => ("tag" in subject ? subject : "filter" in subject ? subject.filter : null));
    const left = chips.filter((_, at) => !filters[at] || !isGone(filters[at]));
    if (left.length < chips.length) void this.ask({ text, chips: left });
    else if (filters.some((filter) => filter && asksTags(filter))) this.refresh();
  }

  add(chip: Chip): Promise<void> {
    return this.ask({ ...this.asked, chips: [...this.asked.chips, chip] });
  }

  similar(record: MapRecord): Promise<void> {
    return this.ask({ text: "", chips: [recordChip(record)] });
  }

  /** The query as it is, and nearer to this record, or further from it. */
  alsoLike(record: MapRecord, weight: number): Promise<void> {
    return this.add(recordChip(record, weight));
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
    await this.showGlow();
  }

  /** `quiet`: nobody sees that it is asked again. */
  private async search(limit = HITS, quiet = false): Promise<void> {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const { config } = this.stage;
    this.searching = !quiet;
    this.filling = limit > HITS;
    const query = { ...this.query, limit };
    let answer: Answer;
    try {
      answer = await search(config.dataset.id, query, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.fail(error, query, signal);
      if (error instanceof ApiError && error.status === 503) this.tryAgain(signal);
      return;
    }
    if (signal.aborted) return;
    if (quiet && answer.away && this.answer?.away && this.answered && sameQuestion(this.answered, query)) return this.tryAgain(signal);
    const hits = hitsOf(answer);
    // First the points, alone: to make the panels takes as long as to draw them.
    const cut = this.cutOf(answer);
    if (this.lit && !sameQuestion(this.lit, query)) this.endGlow();
    this.stage.view.setHits(hits.filter((hit) => this.isRelevant(hit.raw, hit.sure, cut)), true);
    await afterFrame();
    if (signal.aborted) return;
    const { from } = this;
    Object.assign(this, { searching: false, problem: null, answer, answered: query, hits, from: null });
    if (answer.away) this.tryAgain(signal);
    await tick(); // the strip of hits covers a part of the map
    // Whoever moved meanwhile, came by a link with a place, or looks at hits already, wants to be there.
    if (this.stage.camera === from) this.frame();
    await afterFrame();
    if (signal.aborted) return;
    await Promise.all([this.showGlow(), this.fill()]);
  }

  private tryAgain(signal: AbortSignal): void {
    this.patience.later(signal, () => this.search(HITS, true));
  }

  private fail(error: unknown, query: Query, signal: AbortSignal): void {
    this.searching = false;
    this.problem = null;
    // Those hits are still right of which only more were asked for.
    if (this.answered && this.hits && sameQuestion(this.answered, query)) return;
    void this.stage.tell(error, (reason) => signal.aborted || (this.problem = reason));
    this.answer = null;
    this.hits = null;
    this.showHits();
    this.endGlow();
  }

  private showHits(): void {
    this.stage.view.setHits(this.relevant, this.hits !== null);
  }

  private async showGlow(): Promise<void> {
    const { answer, answered } = this;
    const { entry, view } = this.stage;
    if (!this.glowing || !answer || !answered || answer.mode === "words") return this.endGlow();
    if (this.lit && sameQuestion(this.lit, answered)) return;
    this.endGlow();
    this.lit = answered;
    const { signal } = (this.lighting = new AbortController());
    const bytes = await this.stage.attempt(glow(entry, answered, signal), signal);
    if (signal.aborted || view !== this.stage.view) return;
    if (bytes) view.setGlow(bytes);
    else this.lit = null;
  }

  private endGlow(): void {
    this.lighting.abort();
    this.lit = null;
    this.stage.view.setGlow(null);
  }

  // --- the cut ------------------------------------------------------------------------------------------------

  /** Null = where it was. */
  setCut(cut: number | null): void {
    this.moved = cut;
    this.showHits();
  }

  /** Asks for the hits that are relevant beyond those that are here. */
  async fill(): Promise<void> {
    const here = this.answer?.hits.length ?? 0;
    if (here === HITS && this.total > here) await this.search(MOST_HITS);
  }

  /** Flies to the hits when none is in view or all are too close together to tell apart. */
  private frame(): void {
    const { view } = this.stage;
    const hits = this.relevant;
    if (hits.length === 0) return;
    const { clientWidth: width, clientHeight: height } = view.canvas;
    const places = hits.map(({ x, y }) => view.mover.screen(x, y));
    const visible = places.some(([x, y]) => x > 0 && x < width && y > 0 && y < height);
    const extent = (side: 0 | 1) => Math.max(...places.map((place) => place[side])) - Math.min(...places.map((place) => place[side]));
    if (visible && (hits.length === 1 || Math.max(extent(0), extent(1)) > TINY)) return;
    const xs = hits.map((hit) => hit.x);
    const ys = hits.map((hit) => hit.y);
    const [x0, y0, x1, y1] = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    const margin = Math.max(x1 - x0, y1 - y0, SMALLEST) / 8;
    view.mover.flyToBox({ x0: x0 - margin, y0: y0 - margin, x1: x1 + margin, y1: y1 + margin });
  }

  clear(): void {
    this.turn++;
    this.asking.abort();
    this.searching = false;
    this.asked = NOTHING_ASKED;
    this.problem = null;
    this.hits = null;
    this.answer = null;
    this.moved = null;
    this.showHits();
    this.endGlow();
  }

  /** Asked for once the hits are seen on the map; null where they could not be had. */
  async records(hits: SearchHit[]): Promise<MapRecord[] | null> {
    await afterFrame();
    return this.stage.attempt(this.stage.records.all(hits.map((hit) => hit.ordinal)));
  }

  // --- links --------------------------------------------------------------------------------------------------

  /** A picture that has no key yet is in it as it is: the history of this browser has room for it. */
  link(): Pick<Link, "query" | "parts" | "against" | "mode" | "cut" | "glow"> {
    const { asked, against, mode, moved, glowing } = this;
    return { query: asked.text, parts: asked.chips.map(writePart), against, mode, cut: moved, glow: glowing };
  }

  async follow(link: Link): Promise<void> {
    const { camera, query, parts, against, mode, cut, glow } = link;
    const now = this.link();
    const turn = ++this.turn;
    if (now.query === query && now.parts.join("\n") === parts.join("\n") && now.against === against && now.mode === mode) {
      if (now.cut !== cut) this.setCut(cut);
      if (now.glow !== glow) await this.setGlowing(glow);
      return now.cut === cut ? undefined : this.fill();
    }
    const chips = await this.stage.attempt(this.chips(parts), undefined, () => turn === this.turn && this.follow(link));
    // Whoever asked something else meanwhile wants the answer to that.
    if (!chips || turn !== this.turn) return;
    Object.assign(this, { against, mode, glowing: glow });
    this.staying = camera !== null;
    await this.ask({ text: query, chips }, cut);
    this.staying = false;
  }

  /** Rejects where it cannot be said for now what a part is. */
  private async chips(parts: string[]): Promise<Chip[]> {
    const read = parts.map(readPart).filter((part): part is QueryPart => part !== null);
    const found = await Promise.all(read.map((part) => chipOf(this.stage, part).catch((error: unknown) => this.gone(error))));
    const chips = found.filter((chip) => chip !== null);
    if (chips.length < parts.length) this.stage.error = "A part of this search is not here any more.";
    return chips;
  }

  private async gone(error: unknown): Promise<null> {
    if (isPassing(error)) throw error;
    await this.stage.tell(error, () => undefined);
    return null;
  }
}

const questionOf = (query: Query): string => JSON.stringify({ ...query, limit: 0 });
const sameQuestion = (a: Query, b: Query): boolean => questionOf(a) === questionOf(b);
