import type { MapRecord } from "../api/maps";

/** What an `img` of the original does when it fails: browsers cannot show every format that can be uploaded. */
export const showThumbnail =
  ({ image }: MapRecord) =>
  ({ currentTarget }: Event): void => {
    const shown = currentTarget as HTMLImageElement;
    if (image && !shown.src.endsWith(image.thumbnail)) shown.src = image.thumbnail;
  };
