/** Two maps side by side that move together. */

import type { Camera } from "./viewport";

interface Linked {
  readonly mover: { readonly camera: Camera; setCamera(camera: Camera): void };
  readonly events: { on(kind: "camera", listener: (camera: Camera) => void): () => void };
}

/** Either camera follows the other, from now on `b` that of `a`. Returns how to part them. */
export function linkCameras(a: Linked, b: Linked): () => void {
  let following = false;
  const follow = (other: Linked) => (camera: Camera) => {
    if (following) return;
    following = true;
    other.mover.setCamera(camera);
    following = false;
  };
  const stops = [a.events.on("camera", follow(b)), b.events.on("camera", follow(a))];
  follow(b)(a.mover.camera);
  return () => stops.forEach((stop) => stop());
}
