/** How things come and go: softly, or at once for people who want no motion. */

export const wantsNoMotion = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

const FADE_MS = 200;
/** Milliseconds of fading in one frame: the first frame after a pause is not its end. */
const LONGEST_STEP = 50;

/** How much of a fade is over after so many milliseconds, 0 … 1. */
export const fadePart = (milliseconds: number): number => (wantsNoMotion() ? 1 : Math.min(1, milliseconds / FADE_MS));

/** `alpha` a step nearer to where it is to end. */
export const faded = (alpha: number, end: number, step: number): number =>
  end > alpha ? Math.min(end, alpha + step) : Math.max(end, alpha - step);

/** How far fades get from one frame to the next. */
export class FadeSteps {
  private last = 0;

  next(now: number): number {
    const step = fadePart(Math.min(LONGEST_STEP, now - this.last));
    this.last = now;
    return step;
  }
}
