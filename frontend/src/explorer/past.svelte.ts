/** Undo and redo of what is selected, filtered and coloured. */

const MOST = 100;

export class Past<State> {
  private readonly before: string[] = [];
  private after: string[] = [];
  private now: string | null = null;

  canUndo = $state(false);
  canRedo = $state(false);

  /** What is on its way back is no step of its own. */
  private restoring = false;

  constructor(private readonly restore: (state: State) => Promise<void>) {}

  /** Takes note of a state; one like the last is no step. */
  note(state: State): void {
    const text = JSON.stringify(state);
    if (text === this.now || this.restoring) return;
    if (this.now !== null) {
      this.before.push(this.now);
      if (this.before.length > MOST) this.before.shift();
      this.after = [];
    }
    this.now = text;
    this.tell();
  }

  undo(): Promise<void> {
    return this.step(this.before, this.after);
  }

  redo(): Promise<void> {
    return this.step(this.after, this.before);
  }

  private async step(from: string[], to: string[]): Promise<void> {
    if (this.restoring) return;
    const state = from.pop();
    if (state === undefined || this.now === null) return;
    to.push(this.now);
    this.now = state;
    this.tell();
    this.restoring = true;
    try {
      await this.restore(JSON.parse(state) as State);
    } finally {
      this.restoring = false;
    }
  }

  private tell(): void {
    this.canUndo = this.before.length > 0;
    this.canRedo = this.after.length > 0;
  }
}
