import { copyText } from "./clipboard";
import { toast } from "./toasts";

/** Copies the address of this page with something else behind its "#", and says what it opens. */
export async function copyLink(hash: string, opens: string): Promise<void> {
  const { origin, pathname, search } = location;
  if (await copyText(`${origin}${pathname}${search}#${hash}`)) toast(`The link was copied. It opens ${opens}.`);
  else toast("The browser does not allow copying.", "bad");
}
