/**
 * How far a dataset is, live: looking at the files, the review of what was understood, the import, the build, the map. HTML:
 *
 *   <div id="progress" data-dataset="…id…" data-events="/api/datasets/…id…/events" data-map="/data/team/dataset/map"
 *        data-may-edit="true" data-ready="true"></div>
 *
 * `data-may-edit` is left out for people who may only look. `data-ready` is set where the page itself shows a finished map:
 * then nothing appears until something happens. The page of one import, for those who may change it:
 *
 *   <div id="progress" data-dataset="…id…" data-events="…" data-import="…id…" data-state="described"></div>
 */

import { mount } from "svelte";
import type { ImportState } from "../api/datasets";
import Import from "../panels/Import.svelte";
import Progress from "../panels/Progress.svelte";

const target = document.getElementById("progress")!;
const { dataset = "", events: eventsUrl = "", map: mapUrl = "", mayEdit, ready, import: job, state } = target.dataset;

if (job) mount(Import, { target, props: { dataset, job, found: state as ImportState, eventsUrl } });
else
  mount(Progress, {
    target,
    props: { dataset, eventsUrl, mapUrl, mayEdit: mayEdit === "true", quietWhenReady: ready === "true" },
  });
