/** What a drawn region or a press does to the selection there is: replaces it, adds to it, takes from it. */

export type Manner = "new" | "add" | "take";

/** As in every drawing program: Shift adds, Alt takes away. */
export const mannerOf = ({ shiftKey, altKey }: { shiftKey: boolean; altKey: boolean }): Manner =>
  altKey ? "take" : shiftKey ? "add" : "new";

/** Of a click on one of many, as in every list of files. */
export const adds = ({ shiftKey, ctrlKey, metaKey }: { shiftKey: boolean; ctrlKey: boolean; metaKey: boolean }): boolean =>
  shiftKey || ctrlKey || metaKey;
