import type { MapRecord, Neighbour } from "../../src/api/maps";
import { paint, png } from "./files";
import type { MadePoints } from "./points";

const HARD = [
  "<script>document.title = 'broken'</script> a caption with <b>markup</b> & entities",
  "تفاحة حمراء على غصن — a caption from right to left",
  "🍐🍎🍇 emoji only 👩🏽‍🌾",
  "x".repeat(10_000),
];

/** Made-up records of a made-up map. Row and ordinal are kept apart by a fixed shift, so that mixing them up shows. */
export class MadeRecords {
  private readonly ordinalOf: Uint32Array;

  constructor(
    private readonly points: MadePoints,
    private readonly rankOf: Uint32Array,
  ) {
    this.ordinalOf = new Uint32Array(points.n);
    rankOf.forEach((rank, ordinal) => (this.ordinalOf[rank] = ordinal));
  }

  rowOf(ordinal: number): number {
    return (ordinal + 1000) % this.points.n;
  }

  ordinalOfRow(row: number): number {
    return (row - 1000 + this.points.n) % this.points.n;
  }

  at(ordinal: number): MapRecord & { ordinal: number; x: number; y: number } {
    const rank = this.rankOf[ordinal]!;
    const cluster = this.points.clusters[this.points.topic[rank]!]!;
    const year = this.points.year[rank]!;
    return {
      row: this.rowOf(ordinal),
      ordinal,
      x: this.points.x[rank]!,
      y: this.points.y[rank]!,
      caption: rank % 50 < HARD.length ? HARD[rank % 50]! : `Watercolour of ${cluster.name}, sheet ${rank}, with stem and leaf`,
      values: {
        Artist: `Artist ${this.points.artist[rank]! + 1}`,
        Year: year === 65535 ? null : Math.round(1501 + (498 * year) / 65534),
        Notes: ["ripe", "from the orchard"],
      },
      source: `pomology.zip/images/${rank}.jpg`,
      key: null,
      captions: [],
      computed: {},
      image: { width: 1200, height: 1600, format: "JPEG", size: 345_678, thumbnail: `/pictures/${rank}.png`, original: `/pictures/${rank}.png?large` },
    };
  }

  neighbours(ordinal: number): (Neighbour & { ordinal: number })[] {
    const { x, y, row } = this.at(ordinal);
    return this.nearest(x, y, 13).filter((other) => other.row !== row).slice(0, 12);
  }

  /** Records whose topic's name holds the words, with made-up scores. */
  search(words: string): { row: number; ordinal: number; x: number; y: number; score: number }[] {
    const hits = [];
    for (let rank = 0; rank < this.points.n; rank++) {
      const cluster = this.points.clusters[this.points.topic[rank]!]!;
      if (!cluster.name.includes(words.toLowerCase())) continue;
      const [x, y] = [this.points.x[rank]!, this.points.y[rank]!];
      const ordinal = this.ordinalOf[rank]!;
      hits.push({ row: this.rowOf(ordinal), ordinal, x, y, score: 0.3 - 0.1 * ((rank * 7919) % 997) / 997 });
    }
    return hits.sort((a, b) => b.score - a.score).slice(0, 500);
  }

  picture(rank: number, large: boolean): Uint8Array {
    const [width, height] = large ? [600, 800] : [192, 256];
    const pixels = new Uint8Array(4 * width * height);
    paint(pixels, width, 0, 0, width, height, rank, this.points.topic[rank] ?? 0);
    return png(width, height, pixels);
  }

  private nearest(x: number, y: number, many: number): (Neighbour & { ordinal: number })[] {
    const ranks = Array.from({ length: this.points.n }, (_, rank) => rank);
    const away = (rank: number) => Math.hypot(this.points.x[rank]! - x, this.points.y[rank]! - y);
    return ranks
      .map((rank) => [rank, away(rank)] as const)
      .sort((a, b) => a[1] - b[1])
      .slice(0, many)
      .map(([rank, distance]) => ({ ...this.at(this.ordinalOf[rank]!), score: 1 - distance }));
  }
}
