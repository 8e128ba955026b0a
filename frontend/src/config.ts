/** What the server writes into the map page, in `<script type="application/json" id="config">`. */

import type { Space } from "./api/maps";

export interface MapEntry {
  id: string;
  space: Space;
  version: string;
  /** Of all versions on which points and topics are where they are on this one. */
  layout: string;
  /** The folder of its files; ends with a slash. */
  base_url: string;
  count: number;
  /** Names that editors gave to topics, by id: labels.json has the older ones. */
  renamed: Record<string, string>;
}

export interface MapConfig {
  dataset: {
    id: string;
    name: string;
    description: string;
    /** The name of the team. */
    team: string;
    url: string;
    /** Its part of addresses and names of files. */
    slug: string;
    visibility: "private" | "link" | "public";
    /** Rows are 0 … row_count - 1; those of records that were removed are empty. */
    row_count: number;
    record_count: number;
    columns: { name: string; type: "category" | "number" | "date" | "text" | "list" }[];
    may_edit: boolean;
    may_tag: boolean;
    may_comment: boolean;
    hide_captions: boolean;
  };
  maps: MapEntry[];
  /** Whether it is in a frame of another site. */
  embedded: boolean;
  /** Whether a person is signed in. */
  signed_in: boolean;
  /** Whether the server fetches pictures of queries from web addresses. */
  search_urls: boolean;
  /** What to show when the address names no view: the explorer's state as after its "#"; "" = the whole map. */
  start: string;
}

export const SPACE_NAMES: Record<Space, string> = { image: "Images", caption: "Captions", joint: "Both" };

/** Throws an Error in words when the page holds no usable configuration. */
export function readConfig(): MapConfig {
  const text = document.getElementById("config")?.textContent;
  if (!text) throw new Error("The page holds no configuration.");
  return JSON.parse(text) as MapConfig;
}
