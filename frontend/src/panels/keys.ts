/** Whose a key is. */

type Field = HTMLInputElement | HTMLTextAreaElement;

/** With these it is the browser's: it goes back, or zooms the page. */
export const isBrowsers = (event: KeyboardEvent): boolean => event.altKey || event.ctrlKey || event.metaKey;

/** The field that text is typed into; a checkbox is none. */
export const typedInto = ({ target }: Event): Field | null => (target instanceof Element ? target.closest<Field>("input:read-write, textarea") : null);

/** What Escape does in a field with text: a search is emptied, any other is left. */
export function leave(field: Field): void {
  if (field.type !== "search") return field.blur();
  field.value = "";
  for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
}
