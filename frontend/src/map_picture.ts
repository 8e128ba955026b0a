/** What stands beneath a map that is saved as a picture: what it is, the day, and what its colours mean. */

import { fitted } from "./map/fitted";

export interface Caption {
  title: string;
  day: string;
  /** Null where no colour means anything. */
  legend: PictureLegend | null;
}

export interface PictureLegend {
  name: string;
  /** Colours from the smallest value that is shown to the largest. */
  ramp: { colours: string[]; from: string; to: string } | null;
  rows: { name: string; colours: string[] }[];
}

export type Face = "title" | "name" | "plain" | "soft";
type Part = { width: number } & ({ words: string; face: Face } | { colours: string[] });

/** Its place from the upper left corner of the caption, in pixels of CSS. */
type Piece = Part & { left: number; top: number };

interface Layout {
  height: number;
  pieces: Piece[];
}

const EDGE = 20;
/** Between two things in a line, and between the parts of one. */
const GAP = 18;
const NEAR = 7;
const LINE = 24;
const DOT = 10;
const RAMP = 140;
/** Longest name of a value. */
const WIDEST = 260;

/** `widthOf` measures words in a face. */
export function layCaption({ title, day, legend }: Caption, width: number, widthOf: (words: string, face: Face) => number): Layout {
  const room = Math.max(1, width - 2 * EDGE);
  const write = (words: string, face: Face, most = room): Part => {
    const seen = fitted(words, most, (part) => widthOf(part, face));
    return { words: seen, face, width: widthOf(seen, face) };
  };
  const name = (words: string): Part => write(words, "plain", Math.min(WIDEST, room - DOT - NEAR));
  const head = write(title, "title");
  const date = write(day, "soft");
  const apart = room - head.width - date.width;
  const top = apart >= GAP ? EDGE + LINE : EDGE + 2 * LINE;
  const pieces: Piece[] = [
    { ...head, left: EDGE, top: EDGE },
    apart >= GAP ? { ...date, left: EDGE + head.width + apart, top: EDGE } : { ...date, left: EDGE, top: EDGE + LINE },
  ];
  if (!legend) return { height: top + EDGE, pieces };
  const { ramp, rows } = legend;
  const things: Part[][] = [
    [write(legend.name, "name")],
    ...(ramp ? [[name(ramp.from)], [{ colours: ramp.colours, width: RAMP }], [name(ramp.to)]] : []),
    ...rows.map((row) => [{ colours: row.colours, width: DOT }, name(row.name)]),
  ];
  const places = inLines(things.map(widthOfAll), room);
  things.forEach((parts, i) => {
    let left = EDGE + places[i]!.left;
    for (const part of parts) {
      pieces.push({ ...part, left, top: top + NEAR + LINE * places[i]!.line });
      left += part.width + NEAR;
    }
  });
  return { height: top + NEAR + LINE * (places.at(-1)!.line + 1) + EDGE, pieces };
}

const widthOfAll = (parts: Part[]): number => parts.reduce((sum, { width }) => sum + width, NEAR * (parts.length - 1));

/** Where things of these widths begin, one after another in lines of this length; what is longer has a line of its own. */
function inLines(widths: number[], room: number): { left: number; line: number }[] {
  let left = 0;
  let line = 0;
  return widths.map((width) => {
    if (left > 0 && left + width > room) [left, line] = [0, line + 1];
    const place = { left, line };
    left += width + GAP;
    return place;
  });
}

/** From the upper left corner of the canvas on. */
export function paintCaption(pen: CanvasRenderingContext2D, { pieces }: Layout, ink: string, fonts: Record<Face, string>): void {
  pen.textBaseline = "middle";
  for (const piece of pieces) {
    const middle = piece.top + LINE / 2;
    pen.beginPath();
    if ("words" in piece) {
      pen.font = fonts[piece.face];
      pen.globalAlpha = piece.face === "soft" ? 0.7 : 1;
      pen.fillStyle = ink;
      pen.fillText(piece.words, piece.left, middle);
    } else {
      pen.globalAlpha = 1;
      pen.fillStyle = gradient(pen, piece.colours, piece.left, piece.width);
      pen.roundRect(piece.left, middle - DOT / 2, piece.width, DOT, DOT / 2);
      pen.fill();
    }
  }
}

function gradient(pen: CanvasRenderingContext2D, colours: string[], left: number, width: number): CanvasGradient {
  const made = pen.createLinearGradient(left, 0, left + width, 0);
  colours.forEach((colour, i) => made.addColorStop(i / Math.max(1, colours.length - 1), colour));
  return made;
}
