/** The tags of the dataset, and putting them on what is selected. */

import { changeTag, createTag, removeTag, tagRecords, tagsOf, type Tag } from "../api/select";
import type { Filter } from "../filters";
import { toast } from "../site/toasts";
import * as text from "../text";
import { Turns } from "../turns";
import type { Stage } from "./stage.svelte";

export class Tags {
  all = $state.raw<Tag[]>([]);
  /** Counts the changes, for whoever shows the tags of a record. */
  revision = $state(0);
  private readonly turns = new Turns();

  constructor(
    private readonly stage: Stage,
    /** Other records have tags now; `gone`: the id of a tag that was deleted. */
    private readonly changed: (gone: string | null) => void,
  ) {}

  private get dataset(): string {
    return this.stage.config.dataset.id;
  }

  async load(gone: string | null = null): Promise<void> {
    const isNews = this.turns.next();
    const all = await this.stage.attempt(tagsOf(this.dataset), undefined, () => this.load());
    if (all && isNews()) this.all = all;
    this.revision++;
    this.changed(gone);
  }

  /** The tag of this name; made where there is none. */
  async named(name: string): Promise<Tag | null> {
    const same = (tag: Tag): boolean => tag.name.localeCompare(name, undefined, { sensitivity: "accent" }) === 0;
    const there = this.all.find(same);
    if (there) return there;
    const made = await this.stage.attempt(createTag(this.dataset, name));
    if (made) await this.load();
    return made;
  }

  /** Puts a tag on one record; whether that worked. */
  async putOn(row: number, name: string): Promise<boolean> {
    const tag = await this.named(name);
    return tag !== null && this.tagOne(tag, { add: { rows: [row] } });
  }

  takeOff(row: number, tag: Tag): Promise<boolean> {
    return this.tagOne(tag, { remove: { rows: [row] } });
  }

  private async tagOne(tag: Tag, what: { add: Filter } | { remove: Filter }): Promise<boolean> {
    const done = await this.stage.attempt(tagRecords(this.dataset, tag.id, what));
    if (done) await this.load();
    return done !== null;
  }

  async put(tag: Tag, filter: Filter): Promise<void> {
    const done = await this.stage.attempt(tagRecords(this.dataset, tag.id, { add: this.stage.asShown(filter) }));
    if (!done) return;
    toast(`“${tag.name}” is on ${text.records(done.changed, "more")}, on ${text.count(done.count)} in all.`);
    await this.load();
  }

  async take(tag: Tag, filter: Filter): Promise<void> {
    const done = await this.stage.attempt(tagRecords(this.dataset, tag.id, { remove: this.stage.asShown(filter) }));
    if (!done) return;
    toast(`“${tag.name}” was taken off ${text.records(done.changed)}.`);
    await this.load();
  }

  /** Whether that worked. */
  async change(tag: Tag, to: Pick<Tag, "name" | "colour">): Promise<boolean> {
    const changed = await this.stage.attempt(changeTag(this.dataset, tag.id, to));
    if (!changed) return false;
    toast(changed.name === tag.name ? `“${tag.name}” was changed.` : `The tag is called “${changed.name}” now.`);
    await this.load();
    return true;
  }

  async remove(tag: Tag): Promise<void> {
    const failed = (await this.stage.attempt(removeTag(this.dataset, tag.id))) === null;
    await this.load(failed ? null : tag.id);
  }
}
