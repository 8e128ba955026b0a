/**
 * The upload page. Its HTML:
 *
 *   <div id="upload" data-uploads="/uploads/" data-team="herbarium"></div>          a new dataset, in a team (may be left out)
 *   <div id="upload" data-uploads="/uploads/" data-dataset="…id…" data-dataset-url="…"></div>     more records for one
 *
 * When all files are there it makes the dataset (or the import) and goes to the dataset's page, where progress.ts goes on.
 */

import { mount } from "svelte";
import Upload from "../panels/Upload.svelte";

const target = document.getElementById("upload")!;
const { uploads, dataset, datasetUrl } = target.dataset;

mount(Upload, {
  target,
  props: {
    uploadsUrl: uploads ?? "/uploads/",
    team: () => target.dataset.team || null,
    dataset: dataset ? { id: dataset, url: datasetUrl ?? "/" } : null,
  },
});

// Without a new page: it would have forgotten the files.
const choices = document.querySelectorAll<HTMLAnchorElement>(".choose-team a");
for (const choice of choices)
  choice.addEventListener("click", (event) => {
    event.preventDefault();
    for (const other of choices) other.removeAttribute("aria-current");
    choice.setAttribute("aria-current", "true");
    target.dataset.team = new URL(choice.href).searchParams.get("team")!;
    history.replaceState(null, "", choice.href);
  });
