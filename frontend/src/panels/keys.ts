/** Whose a key is. */

type Field = HTMLInputElement | HTMLTextAreaElement;

/** With these it is the browser's: it goes back, or zooms the page. */
export const isBrowsers = (event: KeyboardEvent): boolean => event.altKey || event.ctrlKey || event.metaKey;

/** −1 or 1 for an arrow, which walks through a list, whichever way it lies; 0 for any other key. */
export const stepOf = ({ key }: KeyboardEvent): number => ({ ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 })[key] ?? 0;

/** An arrow leads from the button of one item of a list to that of the next: only one of them is a stop for Tab. */
export function walkItems(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const step = stepOf(event);
  if (!step || isBrowsers(event)) return;
  event.preventDefault();
  const item = event.currentTarget.closest("li");
  (step < 0 ? item?.previousElementSibling : item?.nextElementSibling)?.querySelector("button")?.focus();
}

/** The field that text is typed into; a checkbox is none. */
export const typedInto = ({ target }: Event): Field | null => (target instanceof Element ? target.closest<Field>("input:read-write, textarea") : null);

/** What Escape does in a field with text: a search is emptied, any other is left. */
export function leave(field: Field): void {
  if (field.type !== "search") return field.blur();
  field.value = "";
  for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
}
