/** Which of the hits are listed: thousands at once would each be asked for and drawn. */

export interface HitWindow {
  first: number;
  /** One behind the last. */
  end: number;
}

const PAGE = 40;
export const BEST: HitWindow = { first: 0, end: PAGE };

export const later = ({ first, end }: HitWindow): HitWindow => ({ first, end: end + PAGE });
export const earlier = ({ first, end }: HitWindow): HitWindow => ({ first: Math.max(0, first - PAGE), end });

/** With the hit at this place: those up to it where they are few, else only those round it. */
export function holding(shown: HitWindow, place: number): HitWindow {
  if (place >= shown.first && place < shown.end) return shown;
  if (place >= shown.end && place < shown.end + PAGE) return later(shown);
  const first = Math.max(0, place - PAGE / 2);
  return { first, end: first + PAGE };
}
