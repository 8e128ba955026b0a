/** Answers may come in another order than they were asked for: one that is older than what is shown is no news. */
export class Turns {
  private asked = 0;
  private shown = 0;

  /** To be called when something is asked for; what comes back says of the answer, once, whether it is to be shown. */
  next(): () => boolean {
    const turn = ++this.asked;
    return () => {
      if (turn < this.shown) return false;
      this.shown = turn;
      return true;
    };
  }
}
