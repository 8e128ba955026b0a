/** Takes records out of the dataset, for good, and has all that shows records ask for them anew. */

import { removeRecords } from "../api/select";
import type { Filter } from "../filters";
import { toast } from "../site/toasts";
import * as text from "../text";
import type { Explorer } from "./explorer.svelte";

/** The map without them is looked for so often. */
const LOOK_MS = 15_000;

export class Removal {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly explorer: Explorer) {}

  /** What is selected and left by the filters, which was so many; whether that worked. */
  async selected(filter: Filter, count: number): Promise<boolean> {
    const { detail, selection, stage } = this.explorer;
    if ((await this.remove(filter, count)) === null) return false;
    const ordinal = detail.opened?.record.ordinal ?? null;
    if (ordinal === null || stage.view.flags.isSelected(ordinal)) detail.close();
    void selection.set(null);
    return true;
  }

  /** A single record: the next one is opened in its place. Whether that worked. */
  async one(row: number): Promise<boolean> {
    const { selection, steps } = this.explorer;
    const [before, after] = await steps.around(row);
    const left = await this.remove({ rows: [row] });
    if (!left) return left === 0;
    if (selection.asked) void selection.change({ rows: [row] }, "take");
    void this.goOn(row, after ?? before);
    return true;
  }

  private async goOn(from: number, next: number | null): Promise<void> {
    const { detail } = this.explorer;
    if (next !== null) await detail.openRow(next);
    if (detail.opened?.record.row === from) detail.close();
  }

  /** How many records the dataset has left; null where it did not work. */
  private async remove(filter: Filter, expected?: number): Promise<number | null> {
    const { stage, filters, tags, together } = this.explorer;
    const done = await stage.attempt(removeRecords(stage.config.dataset.id, stage.asShown(filter), expected));
    if (!done) return null;
    if (done.record_count === 0) {
      // The maps are gone: on this page nothing can be had any more.
      location.assign(stage.config.dataset.url);
      return 0;
    }
    const one = done.removed === 1;
    toast(`${text.records(done.removed)} ${one ? "was" : "were"} removed. The map is being laid out without ${one ? "it" : "them"}.`);
    stage.recordCount = done.record_count;
    stage.removals++;
    filters.recordsRemoved();
    void tags.load();
    void together.load();
    this.watch();
    return done.record_count;
  }

  private watch(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), LOOK_MS);
  }

  private async look(): Promise<void> {
    const seen = document.visibilityState === "visible";
    if (!seen || !(await this.explorer.stage.lookForNewer())) this.watch();
  }
}
