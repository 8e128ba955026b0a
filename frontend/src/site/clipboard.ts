/** Copies a text; false where the browser does not let a page do that. */
export async function copyText(text: string): Promise<boolean> {
  if (!window.isSecureContext) return copyByHand(text);
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  );
}

/** Without TLS there is no clipboard to write to, but what is selected can be copied. */
function copyByHand(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
