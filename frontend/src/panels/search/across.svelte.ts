/** One question to all datasets that the person may see. */

import { Again } from "../../again";
import { ApiError } from "../../api/http";
import { searchAcross, type Across, type Against, type Mode } from "../../api/search";
import { NOTHING_ASKED, partsOf, plainChip, readPart, withoutKey, writePart, writeParts, type Asked } from "../../query";
import { hasUnkept, withKeys } from "../../query_pictures";
import { reason } from "../../text";
import { decodeLink, encodeLink, NO_LINK, type Link } from "../../url";

export class AcrossSearch {
  asked = $state.raw<Asked>(NOTHING_ASKED);
  against = $state<Against>("both");
  mode = $state<Mode>("best");
  searching = $state(false);
  problem = $state<string | null>(null);
  answer = $state.raw<Across | null>(null);

  private asking = new AbortController();
  private readonly patience = new Again();

  async ask(asked: Asked): Promise<void> {
    this.asked = asked;
    this.problem = null;
    this.patience.begin();
    this.asking.abort();
    this.searching = partsOf(asked).length > 0;
    if (this.searching) await this.search();
    else this.answer = null;
  }

  /** `quiet`: nobody sees that it is asked again. */
  private async search(quiet = false): Promise<void> {
    const { signal } = (this.asking = new AbortController());
    const { asked, against, mode } = this;
    let answer: Across;
    try {
      answer = await searchAcross({ parts: partsOf(asked), against, mode }, signal);
    } catch (error) {
      if (signal.aborted) return;
      Object.assign(this, { answer: null, searching: false, problem: reason(error) });
      if (error instanceof ApiError && error.status === 503) this.tryAgain(signal);
      return;
    }
    if (signal.aborted) return;
    if (answer.away) this.tryAgain(signal);
    if (quiet && answer.away && this.answer?.away) return;
    Object.assign(this, { answer, searching: false, problem: null });
    await this.keepPictures(answer).catch((error: unknown) => (this.problem = reason(error)));
  }

  private tryAgain(signal: AbortSignal): void {
    this.patience.later(signal, () => this.search(true));
  }

  /** With the dataset that has the best hits: whoever sees these finds the pictures under their keys. */
  private async keepPictures({ groups }: Across): Promise<void> {
    const { asked } = this;
    if (!groups[0] || !hasUnkept(asked)) return;
    const kept = await withKeys(asked, groups[0].dataset.id);
    if (this.asked === asked) this.asked = kept;
  }

  setAgainst(against: Against): void {
    this.against = against;
    void this.ask(this.asked);
  }

  setMode(mode: Mode): void {
    this.mode = mode;
    void this.ask(this.asked);
  }

  private get link(): Link {
    const { asked, against, mode } = this;
    return { ...NO_LINK, query: asked.text, parts: writeParts(asked.chips), against, mode };
  }

  /** The question as the part of an address after "#". */
  get hash(): string {
    return encodeLink(this.link, Infinity);
  }

  /** The same as long as the same is asked. */
  get step(): string {
    const { asked, against, mode } = this;
    return JSON.stringify([asked.text, asked.chips.map(writePart).map(withoutKey), against, mode]);
  }

  /** What its address cannot hold yet. */
  get unkept(): Partial<Link> | null {
    return hasUnkept(this.asked) ? { parts: this.asked.chips.map(writePart) } : null;
  }

  /** The same question on the map of one dataset, with a record open. */
  on(url: string, record: number | null = null): string {
    return `${url}/map#${encodeLink({ ...this.link, record }, Infinity)}`;
  }

  /** What no dataset knows alone is left out: records, topics and tags. */
  follow(hash: string, unkept: Partial<Link> | null): Promise<void> {
    const { query, parts, against, mode } = { ...decodeLink(hash), ...unkept };
    Object.assign(this, { against, mode });
    const read = parts.map(readPart).filter((part) => part !== null);
    return this.ask({ text: query, chips: read.map(plainChip).filter((chip) => chip !== null) });
  }
}
