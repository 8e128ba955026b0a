/** One record at a time: the point under the pointer with its card, and the open record with its neighbours. */

import { ApiError } from "../api/http";
import { neighboursOf, recordOf, type MapRecord, type Neighbour } from "../api/maps";
import type { Found } from "../map/pick";
import { placed, type Stage } from "./stage.svelte";
import type { Surface } from "./surface";

export interface OpenRecord {
  record: MapRecord;
  /** Null while they are on their way. */
  neighbours: Neighbour[] | null;
}

/** A map, and the records by its ordinals. */
type Pointed = Pick<Stage, "view" | "records">;

const HOVER_CARD_MS = 125;
/** From one card to the next. */
const NEXT_CARD_MS = 60;
/** Time to travel from the point to its card. */
const LEAVE_MS = 220;
/** Characters of a caption that are read out. */
const SAID = 200;
/** Width of the drawer, in pixels, where it lies beside the map. */
const DRAWER = 400;
const REMOVED = "This record was removed.";

/** As the server answers for one record that is gone. */
function present(record: MapRecord | null): MapRecord {
  if (!record) throw new ApiError(404, REMOVED);
  return record;
}

export class Detail {
  hovered = $state.raw<Found | null>(null);
  /** `view`: the map that was pointed at. */
  card = $state.raw<{ record: MapRecord; at: Found; view: Surface } | null>(null);
  /** The record that another part of the page points at. */
  pointed = $state.raw<MapRecord | null>(null);
  opened = $state.raw<OpenRecord | null>(null);
  /** What the keys have led to, in words. */
  reached = $state("");

  /** Whether the pointer comes nearer to the card: then what lies on its way does not take the card's place. */
  approaching = false;
  /** Of the record that is to be open: ends when another one is, or none. */
  private asking = new AbortController();
  private hoverTimer: ReturnType<typeof setTimeout> | undefined;
  private overCard = false;
  private walked: Found | null = null;

  constructor(private readonly stage: Stage) {}

  /** The card opens late, so that it does not flicker past, and closes late, so that it can be reached. */
  hover(found: Found | null, on: Pointed = this.stage): void {
    clearTimeout(this.hoverTimer);
    if (!found) {
      this.hoverTimer = setTimeout(() => this.overCard || this.closeCard(), LEAVE_MS);
      return;
    }
    const delay = !this.card ? HOVER_CARD_MS : this.approaching ? LEAVE_MS : NEXT_CARD_MS;
    this.hoverTimer = setTimeout(() => void this.showCard(found, on), delay);
  }

  enterCard(): void {
    this.overCard = true;
    clearTimeout(this.hoverTimer);
  }

  leaveCard(): void {
    this.overCard = false;
    this.hoverTimer = setTimeout(() => this.closeCard(), LEAVE_MS);
  }

  closeCard(): void {
    clearTimeout(this.hoverTimer);
    this.overCard = this.approaching = false;
    this.card = null;
    this.hovered = null;
  }

  private async showCard(found: Found, { view, records }: Pointed): Promise<void> {
    this.hovered = found;
    const record = await this.stage.attempt(records.get(found.ordinal));
    if (record && this.hovered === found) this.card = { record, at: found, view };
  }

  /** Says where a step by the keys has led: the card is for those who see it. */
  async walk(found: Found | null, { view, records }: Pointed = this.stage): Promise<void> {
    this.walked = found;
    const selected = found && view.flags.isSelected(found.ordinal) ? ", selected" : "";
    const words = (record: MapRecord | null): string => (record ? `${record.caption.slice(0, SAID) || record.source}${selected}` : REMOVED);
    const said = found ? await this.stage.attempt(records.get(found.ordinal).then(words)) : "Nothing further in this direction.";
    if (this.walked === found && said !== null) this.reached = said;
  }

  /** Points at a record from elsewhere on the page. */
  point(record: MapRecord | null): void {
    this.pointed = record;
    this.stage.view.markHover(record && placed(record));
  }

  async openOrdinal(ordinal: number): Promise<void> {
    const signal = this.anew();
    const record = await this.stage.attempt(this.stage.records.get(ordinal).then(present), signal, () => this.openOrdinal(ordinal));
    if (record && !signal.aborted) this.open(record);
  }

  async openRow(row: number, reveal = true): Promise<void> {
    const signal = this.anew();
    const record = await this.stage.attempt(recordOf(this.stage.entry, row, signal), signal, () => this.openRow(row, reveal));
    if (record && !signal.aborted) this.open(record, reveal);
  }

  /** `reveal`: whether the camera may move to bring it into view. */
  open(record: MapRecord, reveal = true): void {
    const signal = this.anew();
    this.closeCard();
    const { stage } = this;
    this.opened = { record, neighbours: null };
    const place = placed(record);
    stage.view.markOpen(place);
    // Side by side the maps make room for it themselves.
    const covered = innerWidth >= 900 && !stage.view.canvas.closest("[data-beside]");
    if (place && reveal) stage.view.mover.reveal(place, covered ? DRAWER : 0);
    void this.showNeighbours(record, signal);
  }

  private async showNeighbours(record: MapRecord, signal: AbortSignal): Promise<void> {
    const { stage } = this;
    if (stage.entry.space === "caption" && stage.config.dataset.hide_captions) return;
    const neighbours = await stage.attempt(neighboursOf(stage.entry, record.row, signal), signal, () => this.showNeighbours(record, signal));
    if (signal.aborted || !neighbours) return;
    this.opened = { record, neighbours };
    stage.view.markOpen(placed(record), neighbours.map(placed).filter((place) => place !== null));
  }

  private anew(): AbortSignal {
    this.asking.abort();
    this.asking = new AbortController();
    return this.asking.signal;
  }

  close(): void {
    this.asking.abort();
    this.opened = null;
    this.stage.view.markOpen(null);
  }

  goTo(record: MapRecord): void {
    const place = placed(record);
    if (place) this.stage.view.mover.flyTo({ ...place, k: Math.max(this.stage.camera.k, 12) });
  }
}
