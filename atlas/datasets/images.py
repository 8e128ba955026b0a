"""Uploaded pictures: their facts and their thumbnail, from one decode. Knows no Django."""

import hashlib
import io
from dataclasses import dataclass

from PIL import Image, ImageCms

from embeddings.readers import Limits, ReadError
from embeddings.readers.pictures import decode, format_of, is_turned, open_picture

LONGEST = 256
_QUALITY = 80
_METHOD = 2  # much faster than WebP's usual 4, for files that are hardly larger
_SRGB = ImageCms.createProfile("sRGB")


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """`width` and `height` of the upright picture, in pixels; `format` in Pillow's words; `sha256` in hex."""

    width: int
    height: int
    format: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Prepared(PictureFacts):
    """The facts, and a WebP thumbnail: upright, sRGB, longest side at most 256, transparency on white."""

    thumbnail: bytes


class PictureError(Exception):
    """Somebody's picture cannot be read: a sentence for whoever sent it."""


def inspect(data: bytes, pixels: int = Limits().pixels) -> PictureFacts:
    """What the picture says of itself. Raises ReadError as `open_picture` does; its pixels may be damaged."""
    image = open_picture(data, pixels)
    return _facts(data, image, image.size)


def thumbnail(data: bytes, pixels: int = Limits().pixels) -> bytes:
    """The WebP thumbnail of `prepare`, which raises the same errors."""
    return prepare(data, pixels).thumbnail


def prepare(data: bytes, pixels: int = Limits().pixels) -> Prepared:
    """Facts and thumbnail. A picture of more than `pixels` is refused by its header, before any is decoded.

    Raises ReadError: corrupt, bomb (too many pixels) or unsupported.
    """
    image = open_picture(data, pixels)
    size = image.size
    small = _as_webp(image, LONGEST)
    facts = _facts(data, image, size)
    return Prepared(facts.width, facts.height, facts.format, facts.sha256, small)


def shrunk(data: bytes, longest: int, pixels: int) -> bytes:
    """The picture as a WebP of `prepare`'s kind, its longest side at most `longest`. Raises PictureError."""
    try:
        return _as_webp(open_picture(data, pixels), longest)
    except ReadError as error:
        raise PictureError(str(error)) from None


def _as_webp(image: Image.Image, longest: int) -> bytes:
    small = _in_srgb(decode(image, longest=longest), image.info.get("icc_profile"))
    output = io.BytesIO()
    small.save(output, "WEBP", quality=_QUALITY, method=_METHOD)
    return output.getvalue()


def _facts(data: bytes, image: Image.Image, size: tuple[int, int]) -> PictureFacts:
    width, height = reversed(size) if is_turned(image) else size
    return PictureFacts(width, height, format_of(image), hashlib.sha256(data).hexdigest())


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as browsers show them: a phone's wide-gamut picture would look pale without its profile.

    A damaged profile, or one for other than RGB samples, is passed over, as browsers do.
    """
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != "RGB":
            return image
        converted = ImageCms.profileToProfile(
            image, source, ImageCms.ImageCmsProfile(_SRGB), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return image
    return converted or image
