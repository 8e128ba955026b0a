/** Records by ordinal, fetched many at a time and kept for a while. */

import { recordsAt, type MapAddress, type MapRecord } from "./api/maps";

const KEPT = 2000;
const AT_ONCE = 100;

export class Records {
  private readonly kept = new Map<number, Promise<MapRecord | null>>();

  constructor(private readonly map: MapAddress) {}

  /** Null for an ordinal whose record was deleted. */
  async get(ordinal: number): Promise<MapRecord | null> {
    return (await this.all([ordinal]))[0] ?? null;
  }

  /** In the order asked for, without those that exist no more. Rejects as a whole; what failed is asked for again next time. */
  async all(ordinals: number[]): Promise<MapRecord[]> {
    const missing = ordinals.filter((ordinal) => !this.kept.has(ordinal));
    for (let from = 0; from < missing.length; from += AT_ONCE) this.fetch(missing.slice(from, from + AT_ONCE));
    const records = await Promise.all(ordinals.map((ordinal) => this.kept.get(ordinal)!));
    this.shrink();
    return records.filter((record) => record !== null);
  }

  /** The addresses of their thumbnails, in the order asked for; null where there is none. */
  async thumbnails(ordinals: number[]): Promise<(string | null)[]> {
    const found = new Map((await this.all(ordinals)).map(({ ordinal, image }) => [ordinal, image?.thumbnail ?? null]));
    return ordinals.map((ordinal) => found.get(ordinal) ?? null);
  }

  private fetch(ordinals: number[]): void {
    const answer = recordsAt(this.map, ordinals).then((records) => new Map(records.map((record) => [record.ordinal, record])));
    for (const ordinal of ordinals) {
      const record = answer.then((records) => records.get(ordinal) ?? null);
      record.catch(() => this.kept.delete(ordinal));
      this.kept.set(ordinal, record);
    }
  }

  private shrink(): void {
    for (const ordinal of this.kept.keys()) {
      if (this.kept.size <= KEPT) return;
      this.kept.delete(ordinal);
    }
  }
}
