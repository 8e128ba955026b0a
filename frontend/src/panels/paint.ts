import type { Attachment } from "svelte/attachments";

/** Colours an element by script, several as the pieces of a pie: the content security policy forbids style attributes. */
export const paint =
  (...colours: string[]): Attachment<HTMLElement> =>
  (element) => {
    const pieces = colours.map((colour, i) => `${colour} ${i / colours.length}turn ${(i + 1) / colours.length}turn`);
    element.style.background = colours.length === 1 ? colours[0]! : `conic-gradient(${pieces.join(", ")})`;
  };
