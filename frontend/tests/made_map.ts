import { walkTiles, type Manifest } from "../src/map/manifest";
import { readTile, type TilePoints } from "../src/map/tile";
import { readBytes, writeMap } from "./mock/files";

/** A small made-up map, every tile of it loaded. */
export function madeMap(n: number, seed = 1) {
  const { files, points, rankOf } = writeMap(n, seed);
  const json = <T>(path: string): T => JSON.parse(new TextDecoder().decode(readBytes(files, path)!)) as T;
  const manifest = json<Manifest>("manifest.json");
  const tiles = walkTiles(manifest.tiles);
  const loaded: TilePoints[] = tiles.map((tile) => {
    const bytes = readBytes(files, `t/${tile.z}-${tile.x}-${tile.y}.atm`)!;
    return readTile(tile, bytes.slice().buffer, { key: "topic-0", type: "u8" });
  });
  return { files, points, rankOf, manifest, tiles, loaded, json };
}
