import { afterEach, expect, test, vi } from "vitest";
import type { MapConfig } from "../src/config";
import { copyLink } from "../src/site/copy_link";

const said = vi.hoisted(() => vi.fn());
vi.mock("../src/site/toasts", () => ({ toast: said }));
vi.mock("../src/site/clipboard", () => ({ copyText: () => Promise.resolve(true) }));

afterEach(() => void vi.unstubAllGlobals());

test.each([
  ["public", "It opens this view."],
  ["link", "It opens this view, for those who may see this dataset."],
  ["private", "It opens this view, for those who may see this dataset."],
])("who copies a link is told whom it opens for: %s", async (visibility, words) => {
  vi.stubGlobal("location", { origin: "https://atlas.example", pathname: "/data/a/b/map", search: "" });
  await copyLink("record=3", "this view", { visibility } as MapConfig["dataset"]);
  expect(said).toHaveBeenLastCalledWith(`The link was copied. ${words}`);
});
