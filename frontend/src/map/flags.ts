/** One byte for each point of the map, by ordinal: what the shader needs to know besides its colour. */

export const SELECTED = 1;
export const HIDDEN = 2;

/** Sets the flags of a map version and counts its own changes, so that a tile knows when its copy is old. */
export class Flags {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many points are selected, how many are hidden. */
  selected = 0;
  hidden = 0;
  revision = 1;

  /** The same bytes, four at a time: clearing a million of them one by one would be felt. */
  private readonly words: Uint32Array<ArrayBuffer>;

  constructor(n: number) {
    this.words = new Uint32Array(Math.ceil(n / 4));
    this.bytes = new Uint8Array(this.words.buffer, 0, n);
  }

  /** Replaces the selection; bit i, counted from the lowest bit of the first byte, is ordinal i. */
  selectBits(bits: Uint8Array | null): void {
    this.clear(SELECTED);
    this.selected = bits ? this.raise(SELECTED, bits, 0) : 0;
    this.revision++;
  }

  /** Hides every point whose bit is not set; null shows all. */
  showOnly(bits: Uint8Array | null): void {
    this.clear(HIDDEN);
    this.hidden = bits ? this.raise(HIDDEN, bits, 255) : 0;
    this.revision++;
  }

  isSelected(ordinal: number): boolean {
    return (this.bytes[ordinal]! & SELECTED) !== 0;
  }

  isHidden(ordinal: number): boolean {
    return (this.bytes[ordinal]! & HIDDEN) !== 0;
  }

  private clear(flag: number): void {
    const { words } = this;
    const kept = ~(flag * 0x01010101);
    for (let i = 0; i < words.length; i++) words[i]! &= kept;
  }

  /** Sets a flag where the bit differs from those of `base` (0 or 255); returns at how many points. */
  private raise(flag: number, bits: Uint8Array, base: number): number {
    const { bytes } = this;
    if (bits.length < Math.ceil(bytes.length / 8)) {
      throw new RangeError(`${bits.length} bytes of bits are too few for ${bytes.length} points.`);
    }
    let raised = 0;
    for (let first = 0; first < bytes.length; first += 8) {
      let rest = bits[first >> 3]! ^ base;
      for (let i = first; rest !== 0 && i < bytes.length; i++, rest >>= 1) {
        if ((rest & 1) === 0) continue;
        bytes[i]! |= flag;
        raised++;
      }
    }
    return raised;
  }
}
