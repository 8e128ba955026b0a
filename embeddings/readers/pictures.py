"""Opening pictures nobody vouches for. Needs Pillow only, so that importing a dataset does not load torch."""

import io
import warnings

from PIL import Image

from embeddings.pixels import LARGE, is_turned, reduced, room_for, to_rgb, upright
from embeddings.readers.limits import Limits
from embeddings.readers.members import said
from embeddings.readers.reasons import ReadError, Reason

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_GAP = 2  # how many times as large a picture is at least, before it is shrunk with care
_NAMES = {"MPO": "JPEG"}  # a JPEG with further pictures behind the first, as phones write them

# Pillow warns at 89 million pixels and raises at twice as many; `Limits.pixels` decides here, from the
# header alone.
# It also warns of every odd tag, where an import of a million pictures would drown in it.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

# Pillow and the libraries below it raise these for damaged bytes.
_DECODE_ERRORS = (OSError, ValueError, SyntaxError, EOFError, TypeError, IndexError, KeyError, AttributeError,
                  ArithmeticError, RuntimeError, MemoryError, NotImplementedError)  # fmt: skip

_STARTS = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
)
_FOREIGN_STARTS = (
    (b"%PDF", "a PDF document"),
    (b"8BPS", "a Photoshop document"),
    (b"\0\0\1\0", "an icon"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"%!PS", "a PostScript document"),
    (b"PK\3\4", "an archive"),
    (b"\x1f\x8b", "a gzip file"),
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})


def picture_kind(data: bytes) -> str | None:
    """jpeg, png, webp, gif, bmp, tiff or avif by the first bytes; None for anything else."""
    for start, kind in _STARTS:
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp" and (data[8:12] in {b"avif", b"avis"} or b"avif" in data[16:64]):
        return "avif"
    return None


def looks_like_picture(data: bytes) -> bool:
    return picture_kind(data[:64]) is not None


def open_picture(data: bytes, pixels: int = Limits().pixels) -> Image.Image:
    """The picture with its header read and nothing decoded yet; of an animation, the first frame.

    Raises ReadError: corrupt (damaged, or empty), unsupported (SVG, HTML, PDF, HEIC …), bomb (over `pixels`).
    """
    kind = picture_kind(data[:64])
    if kind is None:
        raise _foreign(data)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ReadError(Reason.BOMB, f"It has more than {pixels:,} pixels, the limit.") from error
    except _DECODE_ERRORS as error:
        raise ReadError(Reason.CORRUPT, f"It begins like a {kind} picture, but is damaged.") from error
    width, height = image.size
    if width * height > pixels:
        raise ReadError(Reason.BOMB, f"It has {width:,} × {height:,} pixels; the limit is {pixels:,} in all.")
    if width < 1 or height < 1:
        raise ReadError(Reason.CORRUPT, "It has no pixels.")
    return image


def format_of(image: Image.Image) -> str:
    """The picture's format as Pillow calls it: JPEG, PNG, WEBP …"""
    name = image.format or ""
    return _NAMES.get(name, name)


def upright_size(image: Image.Image, size: tuple[int, int]) -> tuple[int, int]:
    """Width and height once it is turned as its EXIF block says, from those of the file.

    To be asked after it was decoded: some EXIF blocks come after the pixels.
    """
    width, height = size
    return (height, width) if is_turned(image) else size


def decode(image: Image.Image, longest: int) -> Image.Image:
    """RGB pixels, upright by EXIF, transparency laid on white; shrunk to `longest`, never enlarged.

    A JPEG is decoded at the smallest scale that will do. Raises ReadError when the pixels cannot be decoded.
    """
    try:
        if image.width * image.height > LARGE:
            image = reduced(image, max(image.size) // (_GAP * longest))
            return _within(image, longest)
        with room_for(image, _scale(image, longest)):
            if image.mode not in {"I", "F", "P", "1"} and not image.mode.startswith("I;"):
                image.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=_GAP)
            image.load()
            return _within(to_rgb(upright(image)), longest)
    except _DECODE_ERRORS as error:
        raise ReadError(Reason.CORRUPT, f"Its pixels cannot be decoded: {said(error)}.") from error


def _within(image: Image.Image, longest: int) -> Image.Image:
    if max(image.size) > longest:
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=_GAP)
    return image


def _scale(image: Image.Image, longest: int) -> int:
    """By how much Pillow divides the sides while it reads. A progressive JPEG is in memory whole all the
    same."""
    if format_of(image) != "JPEG" or image.info.get("progressive"):
        return 1
    return max(scale for scale in (1, 2, 4, 8) if scale == 1 or scale * _GAP * longest <= max(image.size))


def _foreign(data: bytes) -> ReadError:
    if not data:
        return ReadError(Reason.CORRUPT, "It is empty.")
    for start, words in _FOREIGN_STARTS:
        if data.startswith(start):
            return ReadError(Reason.UNSUPPORTED, f"It is {words}, not a picture that is supported.")
    if data[4:8] == b"ftyp":
        words = "a HEIC picture" if data[8:12] in _HEIC_BRANDS else "a video"
        return ReadError(Reason.UNSUPPORTED, f"It is {words}; save it as JPEG or PNG.")
    head = data[:1024].lower()
    if b"<svg" in head:
        return ReadError(Reason.UNSUPPORTED, "It is an SVG drawing; save it as PNG.")
    if b"<html" in head or b"<!doctype" in head:
        return ReadError(Reason.UNSUPPORTED, "It is a web page, not a picture.")
    if not data.strip(b"\0"):
        return ReadError(Reason.CORRUPT, "It holds nothing but zeros.")
    return ReadError(
        Reason.UNSUPPORTED, "It is not a picture in JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF format."
    )
