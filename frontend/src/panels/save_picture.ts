/** The map as it is seen, with what its colours mean, as a PNG among the downloads. All of it is made here. */

import { SPACE_NAMES } from "../config";
import type { Explorer } from "../explorer/explorer.svelte";
import { shownRamp } from "../legend";
import { GLOW, hex } from "../map/colours";
import { layCaption, paintCaption, type Caption, type Face, type PictureLegend } from "../map_picture";
import { toast } from "../site/toasts";

/** Pixels to each of CSS, at least: it is printed, and looked at on better screens. */
const FINEST = 2;

export async function savePicture(explorer: Explorer): Promise<void> {
  const picture = await explorer.stage.attempt(pictureOf(explorer));
  if (!picture) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(picture);
  link.download = `${explorer.config.dataset.slug}.png`;
  link.click();
  // Some browsers read it only after the press.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  toast("The picture was saved.");
}

/** Rejects where the browser draws no map any more, or cannot make so large a picture. */
async function pictureOf(explorer: Explorer): Promise<Blob> {
  const views = [explorer.stage.view, ...(explorer.beside.map ? [explorer.beside.map.view] : [])];
  const boxes = views.map(({ canvas }) => canvas.getBoundingClientRect());
  const [left, top] = [Math.min(...boxes.map((box) => box.left)), Math.min(...boxes.map((box) => box.top))];
  const width = Math.max(...boxes.map((box) => box.right)) - left;
  const height = Math.max(...boxes.map((box) => box.bottom)) - top;
  const ratio = Math.max(FINEST, devicePixelRatio);
  const { backgroundColor: paper, color: ink } = getComputedStyle(views[0]!.canvas.parentElement!);
  const fonts = readFonts();
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d")!;
  const layout = layCaption(captionOf(explorer), width, (words, face) => {
    pen.font = fonts[face];
    return pen.measureText(words).width;
  });
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round((height + layout.height) * ratio);
  pen.scale(ratio, ratio);
  pen.fillStyle = paper;
  pen.fillRect(0, 0, width, height + layout.height);
  // What no map covers of it is a line beside and beneath them.
  pen.fillStyle = ink;
  pen.globalAlpha = 0.2;
  pen.fillRect(0, 0, width, height + 1);
  pen.globalAlpha = 1;
  views.forEach((view, i) => {
    pen.save();
    pen.translate(boxes[i]!.left - left, boxes[i]!.top - top);
    view.paintOn(pen, ratio);
    pen.restore();
  });
  pen.translate(0, height);
  paintCaption(pen, layout, ink, fonts);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The browser could not make the picture."))));
  });
}

function readFonts(): Record<Face, string> {
  const style = getComputedStyle(document.documentElement);
  const words = style.getPropertyValue("--font-text");
  return { title: `450 19px ${style.getPropertyValue("--font-title")}`, name: `600 13px ${words}`, plain: `400 13px ${words}`, soft: `400 13px ${words}` };
}

function captionOf({ config, stage, beside, look, search }: Explorer): Caption {
  const spaces = [stage.entry.space, ...(beside.map ? [beside.map.entry.space] : [])];
  const of = config.maps.length > 1 ? ` · Map of ${spaces.map((space) => SPACE_NAMES[space].toLowerCase()).join(" and ")}` : "";
  const day = new Date().toLocaleDateString("en", { dateStyle: "long" });
  return { title: `${config.dataset.name}${of}`, day, legend: legendOf(look, search) };
}

/** What the panel at the side shows of it. */
function legendOf({ column, legend, hidden, range, values, theme }: Explorer["look"], { glowing, hits }: Explorer["search"]): PictureLegend | null {
  if (glowing && hits) return { name: "Relevance to the search", ramp: { colours: GLOW[theme].map(hex), from: "far", to: "relevant" }, rows: [] };
  if (!column) return null;
  const ranged = column.kind === "number" || column.kind === "date";
  const ramp = ranged ? shownRamp(column, values, range, theme) : null;
  const rows = legend.filter(({ code }) => !hidden.has(code));
  return ramp || rows.length > 0 ? { name: column.name, ramp, rows } : null;
}
