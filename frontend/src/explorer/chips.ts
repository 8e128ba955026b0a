/** Chips for the parts of a query that came by a link: what they say is looked up. */

import { mapFiles, recordOf } from "../api/maps";
import { requireQueryPicture, type QueryPart } from "../api/search";
import { tagsOf } from "../api/select";
import { SPACE_NAMES } from "../config";
import { isOn, type TopicOf } from "../filters";
import type { Labels } from "../map/manifest";
import { chip, groupChip, plainChip, recordChip, type Chip } from "../query";
import type { Stage } from "./stage.svelte";

/** Null for what is not there any more. Rejects when the server does not answer. */
export async function chipOf(stage: Stage, part: QueryPart): Promise<Chip | null> {
  const { weight } = part;
  if ("row" in part) return recordChip(await recordOf(stage.entry, part.row), weight);
  if ("topic" in part) return topicChip(stage, part, weight);
  if ("filter" in part) return groupChip(part.filter, weight);
  if ("picture_key" in part) await requireQueryPicture(part.picture_key);
  if (!("tag" in part)) return plainChip(part);
  const tag = (await tagsOf(stage.config.dataset.id)).find(({ id }) => id === part.tag);
  return tag ? chip({ tag: tag.id }, tag.name, { weight }) : null;
}

/** Topics have the ids of their map; the query may come from another than the one that is shown. */
async function topicChip(stage: Stage, part: TopicOf, weight: number): Promise<Chip | null> {
  const { topic, map, layout } = part;
  const entry = stage.config.maps.find((each) => isOn(part, each));
  if (!entry) return null;
  const labels = entry.id === stage.entry.id ? await stage.map.labels() : ((await mapFiles(entry.base_url).json("labels.json")) as Labels);
  const found = labels.topics.find(({ id }) => id === topic);
  return found ? chip({ topic, map, layout }, `${found.name || `Topic ${topic}`}${entry.id === stage.entry.id ? "" : ` (${SPACE_NAMES[entry.space]})`}`, { weight }) : null;
}
