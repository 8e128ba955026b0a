/** The map by keyboard alone. */

interface KeyHandlers {
  pan(dx: number, dy: number): void;
  zoomBy(factor: number): void;
  recentre(): void;
  /** Goes to the nearest point in a direction (screen, y down), from the middle of the view or the point in focus. */
  walk(dx: number, dy: number): void;
  open(): void;
  /** Selects the point in focus, or no longer. */
  toggle(): void;
}

const PART = 80;
const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** True when the key meant something. Shift + arrow walks from point to point; a plain arrow pans. */
export function handleKey(event: KeyboardEvent, handlers: KeyHandlers): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const arrow = ARROWS[event.key];
  if (arrow && event.shiftKey) handlers.walk(...arrow);
  else if (arrow) handlers.pan(-arrow[0] * PART, -arrow[1] * PART);
  else if (event.key === "+" || event.key === "=") handlers.zoomBy(1.5);
  else if (event.key === "-" || event.key === "_") handlers.zoomBy(1 / 1.5);
  else if (event.key === "0" || event.key === "Home") handlers.recentre();
  else if (event.key === "Enter") handlers.open();
  else if (event.key === " ") handlers.toggle();
  else return false;
  event.preventDefault();
  return true;
}
