import type { Attachment } from "svelte/attachments";

/** Colours an element by script: the content security policy forbids style attributes. */
export const paint =
  (colour: string): Attachment<HTMLElement> =>
  (element) => {
    element.style.background = colour;
  };
