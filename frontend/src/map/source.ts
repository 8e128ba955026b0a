/** Where the files of a map version come from. The map core knows paths, not servers. */

export interface MapSource {
  json(path: string): Promise<unknown>;
  bytes(path: string, signal: AbortSignal): Promise<ArrayBuffer>;
  picture(path: string, signal: AbortSignal): Promise<ImageBitmap>;
}
