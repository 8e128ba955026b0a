/** One byte for each point of the map, by ordinal: what the shader needs to know besides its colour. */

export const SELECTED = 1;

/** Sets the flags of a map version and counts its own changes, so that a tile knows when its copy is old. */
export class Flags {
  readonly bytes: Uint8Array<ArrayBuffer>;
  selected = 0;
  revision = 1;

  constructor(n: number) {
    this.bytes = new Uint8Array(n);
  }

  /** Replaces the selection. */
  select(ordinals: Iterable<number>): void {
    const { bytes } = this;
    for (let i = 0; i < bytes.length; i++) bytes[i]! &= ~SELECTED;
    this.selected = 0;
    for (const ordinal of ordinals) {
      if (ordinal >= bytes.length || bytes[ordinal]! & SELECTED) continue;
      bytes[ordinal]! |= SELECTED;
      this.selected++;
    }
    this.revision++;
  }

  *selection(): Generator<number> {
    for (let i = 0; i < this.bytes.length; i++) if (this.bytes[i]! & SELECTED) yield i;
  }

  isSelected(ordinal: number): boolean {
    return (this.bytes[ordinal]! & SELECTED) !== 0;
  }
}
