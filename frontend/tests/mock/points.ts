/** A made-up map: clusters with topics, a category, a number with gaps and a date. */

import { seeded } from "./random";

export interface MadePoints {
  n: number;
  /** World position and column codes by rank: the order is random already. */
  x: Float64Array;
  y: Float64Array;
  topic: Uint8Array;
  artist: Uint8Array;
  year: Uint16Array;
  clusters: { x: number; y: number; spread: number; name: string; count: number }[];
}

const WORDS = ["apples", "pears", "plums", "cherries", "grapes", "quinces", "citrus", "nuts", "berries", "melons", "figs", "peaches"];
const MISSING = 65535;

export function makePoints(n: number, seed = 1): MadePoints {
  const random = seeded(seed);
  const clusters = Array.from({ length: 40 }, (_, i) => ({
    x: 0.12 + 0.76 * random.uniform(),
    y: 0.12 + 0.76 * random.uniform(),
    spread: 0.008 + 0.035 * random.uniform() ** 2,
    name: `${WORDS[i % WORDS.length]} ${["", "in paper", "on a branch", "cut open"][Math.floor(i / WORDS.length)]}`.trim(),
    count: 0,
  }));
  const made: MadePoints = {
    n,
    x: new Float64Array(n),
    y: new Float64Array(n),
    topic: new Uint8Array(n),
    artist: new Uint8Array(n),
    year: new Uint16Array(n),
    clusters,
  };
  for (let i = 0; i < n; i++) {
    const which = Math.floor(clusters.length * random.uniform() ** 1.3);
    const cluster = clusters[which]!;
    cluster.count++;
    const stretch = 1 + (which % 3);
    made.x[i] = Math.min(0.9999, Math.max(0, cluster.x + cluster.spread * stretch * random.normal()));
    made.y[i] = Math.min(0.9999, Math.max(0, cluster.y + cluster.spread * random.normal()));
    made.topic[i] = which;
    made.artist[i] = Math.min(29, Math.floor(-6 * Math.log(1 - random.uniform())) + (which % 3));
    made.year[i] = random.uniform() < 0.06 ? MISSING : Math.round(65534 * Math.min(1, Math.max(0, 0.5 + 0.2 * random.normal() + 0.4 * (cluster.x - 0.5))));
  }
  return made;
}
