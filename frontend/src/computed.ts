/** The columns that the build of a map computes: what they say, in words. */

import type { MapRecord } from "./api/maps";
import { GROUP, type Filter } from "./filters";
import * as text from "./text";

const SAYS: Record<string, string> = {
  trust: "Whether the records around it on the map are really like it: 1 they are, 0 they are not.",
  outlier: "How far it is from the records most like it: an outlier is far from all others.",
  strangers: "How many of the records most like it have another label: 1 all, 0 none. Near 1 its own label may be wrong.",
  agreement: "How well the caption fits the picture. At 0 a caption picked at random would fit as well; look at the lowest first.",
  duplicates: "The same picture saved again, in another size or file too; without pictures, captions of the same words, or the very same vector where vectors were uploaded.",
};

export const saysOf = (key: string): string => SAYS[key] ?? "";

/** By what a table is sorted to show first what may be wrong. */
export const worstFirst = (key: string): string => (key === "outlier" || key === "strangers" ? `-${key}` : key);

/** A record's value; "" = it has none. */
export function valueOf({ computed, row }: MapRecord, key: string): string {
  const { duplicates, alike, duplicate_of } = computed;
  if (key === "duplicates") {
    if (duplicates === "Copy") return `Copy of ${text.count(duplicate_of ?? row)}`;
    return duplicates === "Original" ? `Original of ${text.count(alike ?? 1)}` : (duplicates ?? "");
  }
  const value = computed[key as "trust" | "outlier" | "strangers" | "agreement"];
  return typeof value === "number" ? value.toFixed(2) : "";
}

/** All of the record's group; null where nothing is like it. */
export function groupOf({ computed }: MapRecord, map: string): Filter | null {
  const { alike, duplicate_of } = computed;
  return (alike ?? 1) > 1 && typeof duplicate_of === "number" ? { computed: GROUP, map, in: [duplicate_of] } : null;
}
