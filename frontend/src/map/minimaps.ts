/** The minimaps of a map: they follow its camera, its colours and its look. */

import type { Marks } from "./marks";
import { Minimap, type MinimapStyle } from "./minimap";
import type { Scene } from "./scene";
import type { TileStore } from "./store";
import type { TilePoints } from "./tile";
import type { Viewport } from "./viewport";

export class Minimaps {
  private readonly all = new Set<Minimap>();

  constructor(
    private readonly store: TileStore,
    private readonly marks: Marks,
    private readonly scene: Scene,
  ) {}

  /** Draws into this square canvas too, until the answer is called. */
  add(canvas: HTMLCanvasElement): () => void {
    const minimap = new Minimap(canvas, () => this.read());
    this.all.add(minimap);
    return () => this.all.delete(minimap);
  }

  refresh(): void {
    this.all.forEach((minimap) => minimap.refresh());
  }

  draw(view: Viewport): void {
    this.all.forEach((minimap) => minimap.draw(view));
  }

  private read(): { points: TilePoints | null; style: MinimapStyle } {
    const root = this.store.tiles[0];
    const points = (root && this.store.loaded.get(root)) ?? null;
    const { codes, colouredBy } = this.marks;
    const column = colouredBy && points?.columns.get(colouredBy.key);
    return { points, style: this.scene.minimapStyle(codes?.values ?? column ?? null) };
  }
}
