/** The search over all datasets. Its HTML: <div id="search" data-urls></div>, with data-urls where the server fetches pictures from addresses. */

import { mount } from "svelte";
import Across from "../panels/search/Across.svelte";

const target = document.getElementById("search")!;
mount(Across, { target, props: { urls: target.dataset["urls"] !== undefined } });
