/** How many points this machine draws without stuttering: learnt from the frames, so that a slow one stays fluid. */

const SMALLEST = 20_000;
const SLOW_MS = 34;
const FAST_MS = 18;

export class Budget {
  private average = 0;

  constructor(
    public points: number,
    private readonly largest = points,
  ) {}

  /** Takes the time from one frame of a movement to the very next. Where it is longer the tab was away. */
  frame(milliseconds: number): void {
    if (milliseconds > 400) return;
    this.average = this.average === 0 ? milliseconds : 0.85 * this.average + 0.15 * milliseconds;
    if (this.average > SLOW_MS) this.scale(0.93);
    else if (this.average < FAST_MS) this.scale(1.03);
  }

  private scale(factor: number): void {
    this.points = Math.min(this.largest, Math.max(SMALLEST, this.points * factor));
  }
}

/** Fewer on phones, whose screens also hold fewer. */
export const startBudget = (): Budget => new Budget(matchMedia("(pointer: coarse)").matches ? 60_000 : 250_000);
