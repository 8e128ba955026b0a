/**
 * How far a dataset is, live: looking at the files, the review of what was understood, the import, the build, the map. HTML:
 *
 *   <div id="progress" data-dataset="…id…" data-events="/api/datasets/…id…/events" data-map="/data/team/dataset/map"
 *        data-may-edit="true" data-ready="true"></div>
 *
 * `data-may-edit` is left out for people who may only look. `data-ready` is set where the page itself shows a finished map:
 * then nothing appears until something happens.
 */

import { mount } from "svelte";
import Progress from "../panels/Progress.svelte";

const target = document.getElementById("progress")!;
const { dataset = "", events = "", map = "", mayEdit, ready } = target.dataset;

mount(Progress, {
  target,
  props: { dataset, eventsUrl: events, mapUrl: map, mayEdit: mayEdit === "true", quietWhenReady: ready === "true" },
});
