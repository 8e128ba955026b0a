/** What the search box proposes while somebody types. */

export interface Suggestion {
  /** "Recent", "Saved", "Topic", "Tag", … */
  kind: string;
  label: string;
  choose: () => void;
}

/** Of each kind, so that none pushes out the others. */
const MOST_OF_A_KIND = 5;
const MOST = 12;

/** Those that contain what was typed, whole words first; all of them where nothing was typed. */
export function matching(all: Suggestion[], typed: string): Suggestion[] {
  const words = typed.trim().toLowerCase();
  const found = all.filter(({ label }) => label.toLowerCase().includes(words) && label.toLowerCase() !== words);
  const begins = ({ label }: Suggestion) => (label.toLowerCase().startsWith(words) ? 0 : 1);
  const seen = new Map<string, number>();
  return found
    .sort((a, b) => begins(a) - begins(b))
    .filter(({ kind }) => {
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
      return seen.get(kind)! <= MOST_OF_A_KIND;
    })
    .slice(0, MOST)
    .sort((a, b) => order(a, all) - order(b, all));
}

/** Kinds stay together, in the order in which they were given. */
const order = ({ kind }: Suggestion, all: Suggestion[]): number => all.findIndex((each) => each.kind === kind);
