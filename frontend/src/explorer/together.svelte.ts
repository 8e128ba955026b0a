/** What people say to each other about the records: comments with their pins, and saved views. */

import { SvelteMap } from "svelte/reactivity";
import { ApiError } from "../api/http";
import { table } from "../api/select";
import { commentsOf, removeComment, resolveComment, rewriteComment, writeComment, writeReply, type Comment, type CommentState, type Pin } from "../api/together";
import { removeView, renameView, saveView, viewsOf, type View } from "../api/views";
import type { MapEntry } from "../config";
import { isOn, onMap, type Filter } from "../filters";
import { keep, kept } from "../kept";
import { toast } from "../site/toasts";
import { Turns } from "../turns";
import type { Link } from "../url";
import { boxOf, groupPins, pinLevel, placeOf, type PinGroup, type Point } from "./pins";
import type { Stage } from "./stage.svelte";

export type Tab = "comments" | "views";

/** What it needs of the explorer around it. */
export interface Surroundings {
  switchTo(entry: MapEntry): Promise<void>;
  select(filter: Filter): Promise<void>;
  openRow(row: number): Promise<void>;
  /** What is seen, all of it. */
  hash(): string;
}

/** What others wrote meanwhile is asked for so often; where no answer comes, ever more rarely. */
const POLL_MS = 15_000;
const LONGEST_PAUSE_MS = 120_000;
/** Who may not read the comments any more, or whose dataset is gone. */
const REFUSED = [401, 403, 404];
/** Records with comments that are looked up at a time: what the server gives. */
const MOST_ROWS = 500;
const NAME = "atlas.name";
const EARLIER = "What this comment is about was on an earlier map, which was made anew since.";

export class Together {
  tab = $state<Tab | null>(null);
  /** The open ones: these have pins. */
  comments = $state.raw<Comment[]>([]);
  resolved = $state.raw<Comment[]>([]);
  showing = $state<CommentState>("open");
  views = $state.raw<View[]>([]);
  /** What the server has given: of all else nobody knows whether there is any. */
  listed = $state.raw<ReadonlySet<CommentState | "views">>(new Set());
  /** What the comment that is being written is about. */
  draft = $state.raw<Pin | null>(null);
  /** What is written and not sent yet, of the draft ("new"), of a reply ("reply <id>") or of what is changed ("change <id>"). */
  readonly written = new SvelteMap<string, string>();
  /** Whether the next click on the map places a pin. */
  placing = $state(false);
  /** Ids of the comments that somebody pointed at. */
  active = $state.raw<string[]>([]);
  /** What a visitor who is not signed in is called. */
  name = $state(kept("localStorage", NAME) ?? "");

  /** Places on the shown map of the records with comments. */
  private rows = $state.raw<ReadonlyMap<number, Point>>(new Map());
  private readonly level: number = $derived(this.zoomLevel());
  readonly pins: PinGroup[] = $derived(groupPins(this.comments, (pin) => this.placeOf(pin), this.level));
  readonly shown: Comment[] = $derived(this.showing === "open" ? this.comments : this.resolved);
  private readonly polling = new AbortController();
  /** How long nobody asks by himself after an answer that did not come, and until when. */
  private pause = POLL_MS;
  private resting = 0;
  private readonly turns = new Turns();
  private readonly viewTurns = new Turns();
  private readonly placeTurns = new Turns();

  constructor(
    private readonly stage: Stage,
    private readonly around: Surroundings,
  ) {}

  private zoomLevel(): number {
    return pinLevel(this.stage.camera.k);
  }

  private get dataset(): string {
    return this.stage.config.dataset.id;
  }

  get mayComment(): boolean {
    return this.stage.config.dataset.may_comment;
  }

  /** Comments quote captions: who sees none of these may write, and reads nothing. */
  get mayRead(): boolean {
    return this.mayComment && !this.stage.config.dataset.hide_captions;
  }

  get maySave(): boolean {
    return this.mayComment && this.signedIn;
  }

  get signedIn(): boolean {
    return this.stage.config.signed_in;
  }

  start(): void {
    if (!this.mayRead) return;
    const { signal } = this.polling;
    const poll = () => document.visibilityState === "visible" && Date.now() >= this.resting && void this.load();
    const timer = setInterval(poll, POLL_MS);
    document.addEventListener("visibilitychange", poll, { signal });
    signal.addEventListener("abort", () => clearInterval(timer));
    void this.load();
  }

  /** Another map: the records lie elsewhere. */
  adopt(): void {
    void this.locate();
  }

  /** Whether an answer came. */
  async load(): Promise<boolean> {
    if (!this.mayRead) return false;
    const isNews = this.turns.next();
    const { showing } = this;
    try {
      const open = commentsOf(this.dataset, "open");
      const [comments, resolved] = await Promise.all([open, showing === "resolved" ? commentsOf(this.dataset, "resolved") : this.resolved]);
      this.pause = POLL_MS;
      if (!isNews()) return true;
      this.comments = this.withWritten(comments, this.comments);
      this.resolved = this.withWritten(resolved, this.resolved);
      this.listed = new Set([...this.listed, "open", showing]);
    } catch (error) {
      this.failed(error);
      return false;
    }
    await this.locate();
    return true;
  }

  /** Whoever may not read them any more, or waits for them, is told so; else the next time may do. */
  private failed(error: unknown): void {
    this.pause = Math.min(LONGEST_PAUSE_MS, 2 * this.pause);
    this.resting = Date.now() + this.pause;
    if (!(error instanceof ApiError) || !REFUSED.includes(error.status)) {
      if (this.tab === "comments" && !this.listed.has(this.showing)) this.stage.fail("The comments could not be loaded.", () => void this.load());
      return;
    }
    this.polling.abort();
    this.comments = this.withWritten([], this.comments);
    this.resolved = this.withWritten([], this.resolved);
    this.listed = new Set([...this.listed, "open", "resolved"]);
    this.stage.error = error.message;
  }

  /** What somebody answers or changes stays until that is sent or given up, whatever became of it meanwhile. */
  private withWritten(now: Comment[], before: Comment[]): Comment[] {
    const lost = before.filter((comment) => this.isWriting(comment) && !now.some(({ id }) => id === comment.id));
    return lost.length > 0 ? [...now, ...lost].sort((a, b) => a.created_at.localeCompare(b.created_at)) : now;
  }

  private isWriting({ id, replies }: Comment): boolean {
    return [`reply ${id}`, ...[id, ...replies.map((reply) => reply.id)].map((each) => `change ${each}`)].some((key) => this.written.has(key));
  }

  private async locate(): Promise<void> {
    const { entry } = this.stage;
    const rows = [...new Set(this.comments.flatMap(({ pin }) => ("row" in pin ? [pin.row] : [])))].slice(0, MOST_ROWS);
    if (rows.length === 0) return;
    const isNews = this.placeTurns.next();
    const page = await this.stage.attempt(table(this.dataset, entry, { filter: { rows }, sort: "row", offset: 0, limit: MOST_ROWS }));
    if (page && entry === this.stage.entry && isNews()) this.rows = new Map(page.records.flatMap(({ row, x, y }) => (x === null || y === null ? [] : [[row, { x, y }]])));
  }

  placeOf(pin: Pin): Point | null {
    return placeOf(pin, this.stage.entry, this.rows);
  }

  // --- the panel ----------------------------------------------------------------------------------------------

  toggle(): void {
    if (this.tab) this.close();
    else this.open(this.mayComment ? "comments" : "views");
  }

  open(tab: Tab): void {
    this.tab = tab;
    if (tab === "views") void this.loadViews();
  }

  close(): void {
    this.tab = null;
    this.draft = null;
    this.placing = false;
    this.active = [];
  }

  showState(state: CommentState): void {
    this.showing = state;
    void this.load();
  }

  /** The markers' answer to a click. */
  point(group: PinGroup): void {
    this.showing = "open";
    this.active = group.ids;
    this.open("comments");
  }

  // --- writing ------------------------------------------------------------------------------------------------

  begin(pin: Pin): void {
    this.draft = pin;
    this.placing = false;
    this.open("comments");
  }

  /** The place that was clicked, in pixels of the map. */
  place(x: number, y: number): void {
    const [worldX, worldY] = this.stage.view.mover.world(x, y);
    this.begin({ ...onMap(this.stage.entry), x: worldX, y: worldY });
  }

  async write(text: string): Promise<boolean> {
    if (!this.draft) return false;
    this.keepName();
    const made = await this.stage.attempt(writeComment(this.dataset, this.draft, text, this.name));
    if (!made) return false;
    this.draft = null;
    this.showing = "open";
    this.active = [made.id];
    if (this.mayRead) await this.load();
    else toast("Thank you. Your comment was sent.");
    return true;
  }

  async reply(comment: Comment, text: string): Promise<boolean> {
    this.keepName();
    const made = await this.stage.attempt(writeReply(this.dataset, comment.id, text, this.name));
    await this.load();
    return made !== null;
  }

  async resolve(comment: Comment, resolved: boolean): Promise<void> {
    await this.stage.attempt(resolveComment(this.dataset, comment.id, resolved));
    await this.load();
  }

  /** A comment or a reply; whether it arrived. */
  async rewrite(id: string, text: string): Promise<boolean> {
    const changed = await this.stage.attempt(rewriteComment(this.dataset, id, text));
    await this.load();
    return changed !== null;
  }

  /** A comment or a reply. */
  async remove(id: string): Promise<void> {
    await this.stage.attempt(removeComment(this.dataset, id));
    await this.load();
  }

  private keepName(): void {
    if (!this.signedIn) keep("localStorage", NAME, this.name);
  }

  // --- going there --------------------------------------------------------------------------------------------

  /** Shows on the map what a comment is about. */
  async show({ id, pin }: Comment): Promise<void> {
    this.active = [id];
    if ("filter" in pin) return this.around.select(pin.filter);
    if (!this.stage.drawn) return this.list(pin);
    if ("map" in pin && pin.map !== this.stage.entry.id) {
      const entry = this.stage.config.maps.find((map) => map.id === pin.map);
      if (entry) await this.around.switchTo(entry);
    }
    const place = this.placeOf(pin);
    if (!place) this.stage.error = "map" in pin && !isOn(pin, this.stage.entry) ? EARLIER : "What this comment is about is not on this map.";
    else if ("region" in pin) this.stage.view.mover.flyToBox(boxOf(pin.region));
    else this.stage.view.mover.flyTo({ ...place, k: Math.max(this.stage.camera.k, 6) });
  }

  /** Without a map. */
  private async list(pin: Exclude<Pin, { filter: Filter }>): Promise<void> {
    if ("row" in pin) await this.around.openRow(pin.row);
    else if ("region" in pin) await this.around.select(pin);
    else this.stage.error = "This comment is about a place on the map, which a list does not show.";
  }

  link(): Pick<Link, "comment"> {
    return { comment: this.tab === "comments" && this.active.length === 1 ? this.active[0]! : null };
  }

  /** A link to a comment opens it, resolved or not. */
  async follow(link: Link): Promise<void> {
    const { comment: id, camera } = link;
    if (!id || id === this.link().comment || !this.mayRead) return;
    this.open("comments");
    this.showing = "open";
    let here = await this.load();
    if (here && !this.comments.some((comment) => comment.id === id)) {
      this.showing = "resolved";
      here = await this.load();
    }
    // Whoever may not read them was told so.
    if (this.polling.signal.aborted) return;
    const comment = this.shown.find((each) => each.id === id);
    if (!here) this.stage.fail("The comments could not be loaded.", () => this.follow(link));
    else if (!comment) this.stage.error = "This comment was deleted.";
    else if (camera) this.active = [id];
    else await this.show(comment);
  }

  // --- views --------------------------------------------------------------------------------------------------

  async loadViews(): Promise<void> {
    const isNews = this.viewTurns.next();
    const views = await this.stage.attempt(viewsOf(this.dataset), undefined, () => this.loadViews());
    if (!views || !isNews()) return;
    this.views = views;
    this.listed = new Set([...this.listed, "views"]);
  }

  async save(name: string, shared: boolean): Promise<boolean> {
    const made = await this.stage.attempt(saveView(this.dataset, { name, hash: this.around.hash(), shared }));
    await this.loadViews();
    return made !== null;
  }

  async renameView(view: View, name: string): Promise<boolean> {
    const renamed = await this.stage.attempt(renameView(this.dataset, view.id, name));
    await this.loadViews();
    return renamed !== null;
  }

  async removeView(view: View): Promise<void> {
    await this.stage.attempt(removeView(this.dataset, view.id));
    await this.loadViews();
  }
}
