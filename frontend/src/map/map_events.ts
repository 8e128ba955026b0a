/** What the map tells its page. */

import type { Topic } from "./manifest";
import type { Manner } from "./manner";
import type { Found } from "./pick";
import type { Polygon } from "./region";
import type { Camera } from "./viewport";

export interface MapEvents {
  /** The point under the pointer or reached by Shift + arrow; null = none. */
  hover: Found | null;
  /** `add`: with Shift or Ctrl. */
  /** Where a step from record to record by Shift + arrow led; null: there is nothing further. */
  walk: Found | null;
  click: { found: Found | null; add: boolean };
  open: Found;
  /** The camera moved, or shows more or less round the same place. */
  camera: Camera;
  topic: { topic: Topic; manner: Manner };
  /** A region was drawn to its end; world units. */
  region: { polygon: Polygon; manner: Manner };
  /** Whether something is still on its way. */
  loading: boolean;
  error: unknown;
  /** Whether the browser has stopped drawing, and does not go on. */
  lost: boolean;
  firstpaint: null;
}
