"""Drawing one emoji: Noto's coloured art, the line art of other fonts, and Noto redrawn in other styles.

A picture ("sprite") is RGBA on a transparent square. The styles imitate how others draw the same thing: few
flat colours, dark outlines where colours meet and around the silhouette, or lines alone.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from embeddings.drawings.emoji import Emoji, Sources

SIDE = 128  # pixels; Noto's bitmaps are 136 × 128
_NOTO_SIZE = 109  # the one size the font's bitmaps come in
_LINE_SIZE = 110
_EDGE = 38  # gradients step by less in a channel
_UNASSIGNED = "\U0010fffd"  # drawn as the font's "no such character" box

Rgb = tuple[int, int, int]
Mask = NDArray[np.bool_]


class Artist:
    """Draws emoji from the fonts of `sources`."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    @cached_property
    def _noto(self) -> ImageFont.FreeTypeFont:
        # Raqm shapes joined sequences (families, flags, skin tones) into their one picture.
        return ImageFont.truetype(self._sources.colour_font, _NOTO_SIZE, layout_engine=ImageFont.Layout.RAQM)

    @cached_property
    def _line_fonts(self) -> list[ImageFont.FreeTypeFont]:
        return [ImageFont.truetype(path, _LINE_SIZE) for path in self._sources.line_fonts]

    def draw(self, emoji: Emoji) -> Image.Image:
        """Noto's own picture, RGBA, 128 × 128."""
        canvas = Image.new("RGBA", (136, SIDE), (255, 255, 255, 0))
        ImageDraw.Draw(canvas).text((68, 64), emoji.text, font=self._noto, embedded_color=True, anchor="mm")
        return centred(canvas, SIDE)

    def lines(self, emoji: Emoji) -> list[Image.Image]:
        """The emoji in every line font that has it: black ink as an L mask, 128 × 128 (white is ink)."""
        text = emoji.text.replace("\ufe0f", "")
        if len(text) != 1:
            return []
        return [ink for font in self._line_fonts if (ink := _ink(font, text)) is not None]


def _ink(font: ImageFont.FreeTypeFont, text: str) -> Image.Image | None:
    glyph, missing = font.getmask(text), font.getmask(_UNASSIGNED)
    if glyph.getbbox() is None or (glyph.size == missing.size and bytes(glyph) == bytes(missing)):
        return None
    canvas = Image.new("L", (512, 512))
    ImageDraw.Draw(canvas).text((256, 256), text, fill=255, font=font, anchor="mm")
    drawn = ImageOps.contain(canvas.crop(canvas.getbbox()), (SIDE - 16, SIDE - 16))
    square = Image.new("L", (SIDE, SIDE))
    square.paste(drawn, ((SIDE - drawn.width) // 2, (SIDE - drawn.height) // 2))
    return square


def centred(picture: Image.Image, side: int) -> Image.Image:
    """Cut to what is drawn and put in the middle of a transparent square, shrunk if need be."""
    square = Image.new("RGBA", (side, side), (255, 255, 255, 0))
    drawn = picture.crop(picture.getbbox())
    drawn.thumbnail((side, side), Image.Resampling.LANCZOS)
    square.paste(drawn, ((side - drawn.width) // 2, (side - drawn.height) // 2))
    return square


def flatten(
    picture: Image.Image, colours: int, *, line: int, line_colour: Rgb, filled: bool = True
) -> Image.Image:
    """Few flat colours, with `line` pixels of outline where they meet and around the whole (0: none).

    Without `filled` the areas are white: line art.
    """
    mask = picture.getchannel("A").point(lambda a: 255 if a > 127 else 0)
    inside = np.asarray(mask) > 0
    solid = Image.new("RGB", picture.size, _mean_colour(picture, inside))
    solid.paste(picture.convert("RGB"), mask=mask)
    areas = solid.filter(ImageFilter.MedianFilter(5)).quantize(colours, kmeans=2, dither=Image.Dither.NONE)
    rgb = np.asarray(areas.convert("RGB")).copy()
    flat = rgb if filled else np.full_like(rgb, 255)
    if not line:
        return _rgba(flat, inside)
    edges = _thicken(_colour_edges(rgb) & inside, min(line, 3))
    rim = _thicken(inside, line) & ~_thin(inside, line)
    drawn = edges | rim
    flat[drawn] = line_colour
    return _rgba(flat, inside | drawn)


def colour_in(ink: Image.Image, fill: Rgb | None, line_colour: Rgb) -> Image.Image:
    """Line art as ink: enclosed areas in `fill` (None leaves them clear)."""
    strength = np.asarray(ink, dtype=np.float32)[..., None] / 255
    enclosed = ~_outside(ink)
    base = np.array(line_colour if fill is None else fill, dtype=np.float32)
    rgb = base * (1 - strength) + np.array(line_colour, dtype=np.float32) * strength
    alpha = strength[..., 0] * 255 if fill is None else np.where(enclosed, 255, strength[..., 0] * 255)
    return Image.fromarray(np.dstack((rgb, alpha)).astype(np.uint8), "RGBA")


def main_colours(picture: Image.Image, count: int) -> list[Rgb]:
    """The colours that cover most of a picture, most first, without near-blacks (they are lines)."""
    pixels = np.asarray(picture)
    seen = pixels[pixels[..., 3] > 127][:, :3]
    if len(seen) == 0:
        return [(255, 255, 255)]
    strip = Image.fromarray(seen[None]).quantize(count + 2, kmeans=1)
    ranked = sorted(strip.getcolors() or [], reverse=True)
    palette = np.array(strip.getpalette(), dtype=int).reshape(-1, 3)
    colours = [palette[index] for _, index in ranked if isinstance(index, int)]
    light = [c for c in colours if c.max() > 60] or colours
    return [(int(r), int(g), int(b)) for r, g, b in light[:count]]


def _mean_colour(picture: Image.Image, inside: Mask) -> Rgb:
    r, g, b = np.asarray(picture)[inside][:, :3].mean(axis=0)
    return int(r), int(g), int(b)


def _colour_edges(rgb: NDArray[np.uint8]) -> Mask:
    """Pixels whose right or lower neighbour differs by over _EDGE in a channel."""
    edges = np.zeros(rgb.shape[:2], dtype=bool)
    values = rgb.astype(np.int16)
    edges[:, :-1] |= np.abs(values[:, 1:] - values[:, :-1]).max(axis=-1) > _EDGE
    edges[:-1] |= np.abs(values[1:] - values[:-1]).max(axis=-1) > _EDGE
    return edges


def _thicken(mask: Mask, pixels: int) -> Mask:
    return _filtered(mask, ImageFilter.MaxFilter(pixels | 1))


def _thin(mask: Mask, pixels: int) -> Mask:
    return _filtered(mask, ImageFilter.MinFilter(pixels | 1))


def _filtered(mask: Mask, kind: ImageFilter.RankFilter) -> Mask:
    filtered: Mask = np.asarray(Image.fromarray(mask).convert("L").filter(kind)).astype(bool)
    return filtered


def _outside(ink: Image.Image) -> Mask:
    """What a flood from the corner reaches; the margin around the ink makes that all that is not enclosed."""
    flooded = ink.point(lambda v: 255 if v > 100 else 0)
    ImageDraw.floodfill(flooded, (0, 0), 128)
    outside: Mask = np.asarray(flooded) == 128
    return outside


def _rgba(rgb: NDArray[np.uint8], inside: Mask) -> Image.Image:
    return Image.fromarray(np.dstack((rgb, np.where(inside, 255, 0).astype(np.uint8))), "RGBA")
