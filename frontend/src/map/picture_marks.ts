/** What the marks of the points say of their pictures. */

import type { PictureManner } from "./pictures_pass";

export interface PictureMarks {
  flags: { hidden: number; revision: number; isSelected(ordinal: number): boolean };
  /** The part of all points that is shown at all. */
  part: number;
  isVisible(ordinal: number): boolean;
  isLit(ordinal: number): boolean;
  isHit(ordinal: number): boolean;
}

export function mannerOf(ordinal: number, marks: PictureMarks): PictureManner {
  if (marks.isHit(ordinal)) return "hit";
  if (!marks.isLit(ordinal)) return "back";
  return marks.flags.isSelected(ordinal) ? "selected" : "plain";
}
