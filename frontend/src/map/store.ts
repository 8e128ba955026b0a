/** The loaded tiles of one map version. */

import { Loader } from "./loader";
import { tileName, walkTiles, type Column, type Manifest, type Tile } from "./manifest";
import { gridOf } from "./pick";
import type { MapSource } from "./source";
import { readCodes, readTile, STEPS, type TilePoints } from "./tile";

/** Points kept in memory; beyond it the tiles that were not wanted for longest go. About 6 bytes each, twice. */
const KEPT_POINTS = 6_000_000;

export class TileStore {
  readonly tiles: Tile[];
  readonly loaded = new Map<Tile, TilePoints>();
  private readonly embedded: Column | null;
  private readonly jobs = new Map<string, { tile: Tile; store: (bytes: ArrayBuffer) => void }>();
  private readonly pointLoader: Loader<string>;
  private readonly extraLoader: Loader<string>;
  private readonly underWay = new Map<string, Promise<void>>();
  private readonly lastWanted = new Map<Tile, number>();
  private turn = 0;

  constructor(
    private readonly source: MapSource,
    readonly manifest: Manifest,
    private readonly events: {
      arrived(): void;
      dropped(points: TilePoints): void;
      failed(error: unknown): void;
    },
  ) {
    this.tiles = walkTiles(manifest.tiles);
    this.embedded = this.column(manifest.embedded);
    const run = (path: string, signal: AbortSignal) => this.fetch(path, signal);
    const failed = (_: string, error: unknown) => this.events.failed(error);
    this.pointLoader = new Loader(run, failed, 6);
    this.extraLoader = new Loader(run, failed, 4);
  }

  column(key: string | null): Column | null {
    return this.manifest.columns.find((column) => column.key === key) ?? null;
  }

  get pending(): boolean {
    return this.pointLoader.pending || this.extraLoader.pending;
  }

  /** Says what the view needs, most urgent first: points, then the column and the low bits of what has arrived. */
  want(tiles: Tile[], column: string | null, scale: number): void {
    this.turn++;
    for (const tile of tiles) this.lastWanted.set(tile, this.turn);
    this.pointLoader.want(tiles.map((tile) => this.pointsPath(tile)));
    this.extraLoader.want(tiles.flatMap((tile) => this.extraPaths(tile, column, scale)));
    this.evict();
  }

  /** Waits until the points of all these tiles are here, with their low bits where those exist. Rejects if one cannot be had. */
  async all(tiles: Tile[], signal: AbortSignal): Promise<TilePoints[]> {
    const missing = tiles.filter((tile) => !this.loaded.has(tile));
    const queue = missing.map((tile) => this.pointsPath(tile));
    const worker = async () => {
      for (let path = queue.shift(); path; path = queue.shift()) await this.fetch(path, signal);
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    for (const tile of tiles) this.lastWanted.set(tile, this.turn);
    return tiles.map((tile) => this.loaded.get(tile)!);
  }

  retry(): void {
    this.pointLoader.retry();
    this.extraLoader.retry();
  }

  close(): void {
    this.pointLoader.close();
    this.extraLoader.close();
  }

  private pointsPath(tile: Tile): string {
    return this.job(`t/${tileName(tile)}.atm`, tile, (bytes) => {
      if (this.loaded.has(tile)) return;
      const points = readTile(tile, bytes, this.embedded);
      gridOf(points);
      this.loaded.set(tile, points);
    });
  }

  private extraPaths(tile: Tile, key: string | null, scale: number): string[] {
    const points = this.loaded.get(tile);
    if (!points) return [];
    const paths: string[] = [];
    const column = this.column(key);
    if (column && !points.columns.has(column.key)) paths.push(this.columnPath(tile, column));
    // Without its low bits a point may be half a step off its place.
    const visible = scale / STEPS / 2 ** tile.z >= 0.5;
    if (visible && tile.z < this.manifest.low && !points.low) paths.push(this.lowPath(tile));
    return paths;
  }

  private columnPath(tile: Tile, column: Column): string {
    return this.job(`c/${column.key}/${tileName(tile)}.bin`, tile, (bytes) => {
      this.loaded.get(tile)?.columns.set(column.key, readCodes(bytes, 0, tile.count, column.type));
    });
  }

  private lowPath(tile: Tile): string {
    return this.job(`t/${tileName(tile)}.low`, tile, (bytes) => {
      const points = this.loaded.get(tile);
      if (points) points.low = new Uint8Array(bytes, 0, 2 * tile.count);
    });
  }

  private job(path: string, tile: Tile, store: (bytes: ArrayBuffer) => void): string {
    if (!this.jobs.has(path)) this.jobs.set(path, { tile, store });
    return path;
  }

  /** Fetches nothing twice at the same time. */
  private fetch(path: string, signal: AbortSignal): Promise<void> {
    const before = this.underWay.get(path);
    if (before) return before;
    const now = this.fetchNew(path, signal).finally(() => this.underWay.delete(path));
    this.underWay.set(path, now);
    return now;
  }

  private async fetchNew(path: string, signal: AbortSignal): Promise<void> {
    const bytes = await this.source.bytes(path, signal);
    this.jobs.get(path)?.store(bytes);
    this.events.arrived();
  }

  private evict(): void {
    let kept = 0;
    for (const tile of this.loaded.keys()) kept += tile.count;
    if (kept <= KEPT_POINTS) return;
    const oldest = [...this.loaded].sort(([a], [b]) => (this.lastWanted.get(a) ?? 0) - (this.lastWanted.get(b) ?? 0));
    for (const [tile, points] of oldest) {
      if (kept <= KEPT_POINTS || this.lastWanted.get(tile) === this.turn) return;
      kept -= tile.count;
      this.loaded.delete(tile);
      for (const [path, job] of this.jobs) {
        if (job.tile !== tile) continue;
        this.pointLoader.forget(path);
        this.extraLoader.forget(path);
      }
      this.events.dropped(points);
    }
  }
}
