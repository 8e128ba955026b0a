"""Picture files to the numbers a vision tower reads: decode safely, resize, normalise.

The recipe is the published one (transformers' CLIPImageProcessor with Pillow), pixel for pixel, with two
differences:
- a photo is turned the way its EXIF orientation says; the published code embeds it lying on its side;
- transparent parts are laid on white, as transformers 5 does; transformers 4 drops the alpha channel and
  shows whatever colours the clear pixels happen to have.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Condition, Lock
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from embeddings.configs import read_json
from embeddings.errors import ItemError, ModelError

MAX_PIXELS = 128 * 2**20  # half a gigabyte once decoded: Pillow keeps four bytes a pixel
LARGE = 32 * 2**20  # pixels; beyond, pictures are kept at a reduced size
ROOM = 2**30  # bytes that pictures take at a time on their way to RGB, in all threads of a process
# Of a pixel: four for each copy that is there at the same time. A JPEG as it was read, turned and converted;
# others, where they are transparent or of wide numbers, six times.
_JPEG_BYTES, _OTHER_BYTES = 12, 24
_LARGE_SIDE = 2048  # what a reduced picture's shorter side has at least
_STRIP = 2**20  # pixels of a large picture that are converted at a time
_LONGEST_STRIP = 64  # times its width; what a crop keeps of a longer picture lies in its middle
# Formats whose decoders are Pillow's own or well-kept libraries; not EPS, which would start Ghostscript.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "PPM", "JPEG2000", "ICO", "TGA")
_WIDE_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")

# Pillow warns at two thirds of MAX_PIXELS; the limit that counts here is open_picture's.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def open_picture(
    source: bytes | Path | Image.Image, *, item: int | str = "picture", max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """The first frame of a picture as RGB, upright, on white.

    Raises ItemError, which names `item`, for what is empty, damaged, cut short, of a format we do not read,
    or larger than `max_pixels` (read from the header, before any decoding). Pictures of over 32 megapixels
    are reduced on the way to bound memory; that moves their pixels a little off the published recipe's.
    """
    try:
        image = source if isinstance(source, Image.Image) else _open(source)
        _check_size(image, item, max_pixels)
        if image.width * image.height > LARGE:
            return reduced(image, min(image.size) // _LARGE_SIDE)
        with room_for(image):
            return to_rgb(upright(image))
    except ItemError:
        raise
    except UnidentifiedImageError as error:
        reason = "the file is empty" if _is_empty(source) else "not a picture, or of a format we do not read"
        raise ItemError(item, reason) from error
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise ItemError(item, f"the file cannot be read: {error.strerror}") from error
    except Image.DecompressionBombError as error:
        raise ItemError(item, f"more pixels than the {max_pixels:,} allowed") from error
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        raise ItemError(item, f"the picture is damaged: {error}") from error


class _Room:
    """Bytes for who asks first: no row of small pictures keeps a large one waiting for ever."""

    def __init__(self) -> None:
        self._taken = 0
        self._changed = Condition()
        self._first = Lock()

    @contextmanager
    def take(self, count: int) -> Iterator[None]:
        with self._first, self._changed:
            self._changed.wait_for(lambda: self._taken + count <= ROOM)
            self._taken += count
        try:
            yield
        finally:
            with self._changed:
                self._taken -= count
                self._changed.notify()


_room = _Room()


def room_for(image: Image.Image, scale: int = 1) -> AbstractContextManager[None]:
    """To be held while a picture is decoded with its sides divided by `scale`: waits while others take the
    room."""
    each = _JPEG_BYTES if image.format in ("JPEG", "MPO") else _OTHER_BYTES
    return _room.take(min(ROOM, image.width * image.height * each // scale**2))


def to_rgb(image: Image.Image) -> Image.Image:
    """Any Pillow mode as RGB: alpha on white, 16-bit and float values scaled to 8 bits, not clipped."""
    if image.mode in _WIDE_MODES:
        return _narrow(image).convert("RGB")
    if image.mode == "LAB":  # Pillow's convert does not know it
        return _from_lab(image)
    if image.mode in ("La", "RGBa"):  # premultiplied
        image = image.convert(image.mode.upper())
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image).convert("RGB")


def is_turned(image: Image.Image) -> bool:
    """True when EXIF swaps width and height."""
    return _orientation(image) >= 5


def upright(image: Image.Image) -> Image.Image:
    """Turned and mirrored as EXIF says; a damaged EXIF block says nothing."""
    return _turned(image, _orientation(image))


def reduced(image: Image.Image, factor: int) -> Image.Image:
    """A large picture as RGB, upright, its sides divided by about `factor`.

    In strips: beside the decoded picture itself memory holds a strip only.
    """
    width, height = (max(1, side // max(1, factor)) for side in image.size)
    with room_for(image):
        image.draft("RGB", (width, height))  # only JPEG files can be decoded small
        box = image.width // width, image.height // height
        # The range of wide numbers is that of the whole picture.
        wide = image.mode in ("I", "F")
        small = to_rgb(image.reduce(box)) if wide else _reduced_in_strips(image, *box)
        return _turned(small, _orientation(image))


def _reduced_in_strips(image: Image.Image, across: int, down: int) -> Image.Image:
    small = Image.new("RGB", (-(-image.width // across), -(-image.height // down)))
    rows = down * max(1, _STRIP // (image.width * down))
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        small.paste(to_rgb(strip).reduce((across, down)), (0, top // down))
    return small


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    method = _TURNS.get(orientation)
    return image if method is None else image.transpose(method)


def _orientation(image: Image.Image) -> int:
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - nearly anything is raised for damaged tags
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


@dataclass(frozen=True)
class PixelRecipe:
    """What `preprocessor_config.json` asks for."""

    size: tuple[int, int] | int  # (height, width) to squash to, or the shorter side to keep the shape
    crop: tuple[int, int]  # (height, width) of the middle that is kept: what the tower gets
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    factor: float = 1 / 255
    resample: int = Image.Resampling.BICUBIC

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        return cls.from_dict(read_json(folder / "preprocessor_config.json"))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Raises ModelError that names the first setting we cannot honour."""
        for key in ("do_resize", "do_rescale", "do_convert_rgb"):
            if values.get(key, True) is not True:
                raise ModelError(f"preprocessor_config.json: {key} must be true, not {values[key]!r}")
        size = _size(values, "size")
        if isinstance(size, int) and not values.get("do_center_crop", True):
            raise ModelError(
                "preprocessor_config.json: do_center_crop must be true where size is a shorter side"
            )
        crop = (
            _size(values, "crop_size")
            if "crop_size" in values and values.get("do_center_crop", True)
            else size
        )
        crop = (crop, crop) if isinstance(crop, int) else crop
        least = (size, size) if isinstance(size, int) else size
        if crop[0] > least[0] or crop[1] > least[1]:
            raise ModelError(f"preprocessor_config.json: crop_size {crop} is larger than size {least}")
        normalised = values.get("do_normalize", True)
        return cls(
            size=size,
            crop=crop,
            mean=_three(values, "image_mean") if normalised else (0.0, 0.0, 0.0),
            std=_three(values, "image_std") if normalised else (1.0, 1.0, 1.0),
            factor=float(values.get("rescale_factor", 1 / 255)),
            resample=Image.Resampling(values.get("resample", Image.Resampling.BICUBIC)),
        )

    def __call__(self, image: Image.Image) -> NDArray[np.float32]:
        """An RGB image as normalised pixels: (3, height, width), float32."""
        if isinstance(self.size, int):
            image = _without_ends(image)
        resized = image.resize(self._target(image), Image.Resampling(self.resample))
        height, width = self.crop
        left, top = (resized.width - width) // 2, (resized.height - height) // 2
        values = np.asarray(resized)[top : top + height, left : left + width]
        return np.stack([self._table[c][values[..., c]] for c in range(3)])

    @cached_property
    def _table(self) -> NDArray[np.float32]:
        """(3, 256): each 8-bit value normalised, in the published code's order of rounding."""
        scaled = (np.arange(256, dtype=np.float64) * self.factor).astype(np.float32)
        mean, std = (np.array(three, dtype=np.float32)[:, None] for three in (self.mean, self.std))
        table: NDArray[np.float32] = (scaled - mean) / std
        return table

    def _target(self, image: Image.Image) -> tuple[int, int]:
        """(width, height) to resize to."""
        if not isinstance(self.size, int):
            return self.size[1], self.size[0]
        long = int(self.size * max(image.size) / min(image.size))
        return (self.size, long) if image.width <= image.height else (long, self.size)


def _open(source: bytes | Path) -> Image.Image:
    return Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=_FORMATS)


def _without_ends(image: Image.Image) -> Image.Image:
    """A very long picture's middle: the whole of it, resized, could take gigabytes."""
    longest = _LONGEST_STRIP * min(image.size)
    if max(image.size) <= longest:
        return image
    width, height = (min(side, longest) for side in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _check_size(image: Image.Image, item: int | str, max_pixels: int) -> None:
    width, height = image.size
    if width * height == 0:
        raise ItemError(item, "the picture has no pixels")
    if width * height > max_pixels:
        raise ItemError(item, f"{width} × {height} pixels are more than the {max_pixels:,} allowed")


def _is_empty(source: bytes | Path | Image.Image) -> bool:
    if isinstance(source, Path):
        return source.stat().st_size == 0
    return source == b""


def _narrow(image: Image.Image) -> Image.Image:
    """Wide numbers to 8 bits: by the mode's range where it has one, else by the range the values suggest."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float32))
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I;16"):
        low, high = 0, 65535
    elif low >= 0 and high <= 1 and image.mode == "F":
        low, high = 0, 1
    elif low >= 0 and high <= 255:
        low, high = 0, 255
    elif low >= 0 and high <= 65535:
        low, high = 0, 65535
    scaled = (values - low) * (255 / max(high - low, 1e-12))
    return Image.fromarray(np.rint(scaled).clip(0, 255).astype(np.uint8))


def _from_lab(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    assert converted is not None  # it is only where inPlace is asked for
    return converted


def _size(values: dict[str, Any], key: str) -> tuple[int, int] | int:
    size = values.get(key)
    if isinstance(size, dict):
        size = size.get("shortest_edge") or (size.get("height"), size.get("width"))
    elif key == "crop_size" and size is not None:
        size = (size, size)
    sides = size if isinstance(size, tuple) else (size,)
    if not all(isinstance(side, int) and side > 0 for side in sides):
        raise ModelError(
            f"preprocessor_config.json: {key} must be a number, a shortest_edge, or a height and width,"
            f" not {values.get(key)!r}"
        )
    return size  # type: ignore[return-value]


def _three(values: dict[str, Any], key: str) -> tuple[float, float, float]:
    numbers = values.get(key)
    if not (
        isinstance(numbers, list) and len(numbers) == 3 and all(isinstance(n, int | float) for n in numbers)
    ):
        raise ModelError(f"preprocessor_config.json: {key} must be three numbers, not {numbers!r}")
    return float(numbers[0]), float(numbers[1]), float(numbers[2])
