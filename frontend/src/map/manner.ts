/** What a drawn region or a press does to the selection there is: replaces it, adds to it, takes from it. */

export type Manner = "new" | "add" | "take";

/** As in every drawing program: Shift adds, Alt takes away. */
export const mannerOf = ({ shiftKey, altKey }: { shiftKey: boolean; altKey: boolean }): Manner =>
  altKey ? "take" : shiftKey ? "add" : "new";
