import type { MapConfig } from "../config";
import { copyText } from "./clipboard";
import { toast } from "./toasts";

/** Copies the address of this page with something else behind its "#", and says what it opens, and to whom. */
export async function copyLink(hash: string, opens: string, { visibility }: MapConfig["dataset"]): Promise<void> {
  const { origin, pathname, search } = location;
  if (await copyText(`${origin}${pathname}${search}#${hash}`)) toast(`The link was copied. It opens ${opens}${visibility === "public" ? "" : ", for those who may see this dataset"}.`);
  else toast("The browser does not allow copying.", "bad");
}
