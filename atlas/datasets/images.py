"""Uploaded pictures: their facts and their thumbnail, from one decode. Knows no Django."""

import hashlib
import io
from dataclasses import dataclass

from PIL import Image, ImageCms

from embeddings.readers import Limits, ReadError
from embeddings.readers.pictures import decode, format_of, open_picture, upright_size

LONGEST = 256
_QUALITY = 80
_METHOD = 2  # much faster than WebP's usual 4, for files that are hardly larger
_SRGB = ImageCms.createProfile("sRGB")


@dataclass(frozen=True, slots=True)
class Prepared:
    """`width` and `height` of the upright picture, in pixels; `format` in Pillow's words; `sha256` in hex.

    `thumbnail`: WebP, upright, sRGB, longest side at most 256, transparency on white.
    """

    width: int
    height: int
    format: str
    sha256: str
    thumbnail: bytes


class PictureError(Exception):
    """Somebody's picture cannot be read: a sentence for whoever sent it."""


def prepare(data: bytes, pixels: int = Limits().pixels) -> Prepared:
    """Facts and thumbnail. A picture of more than `pixels` is refused by its header, before any is decoded.

    Raises ReadError: corrupt, bomb (too many pixels) or unsupported.
    """
    image = open_picture(data, pixels)
    size = image.size  # before it is shrunk
    small = _as_webp(image, LONGEST)
    width, height = upright_size(image, size)
    return Prepared(width, height, format_of(image), hashlib.sha256(data).hexdigest(), small)


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
