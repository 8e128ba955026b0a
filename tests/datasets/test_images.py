"""What an uploaded picture becomes: facts and a thumbnail, or a reason why not."""

import hashlib
import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from atlas.datasets.images import prepare
from embeddings import pixels
from embeddings.readers import ReadError, Reason

# Pillow remarks on every odd tag and size; pytest puts its own filters before those of the code.
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    output = io.BytesIO()
    image.save(output, form, **options)
    return output.getvalue()


def gradient(width: int = 40, height: int = 30) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    return Image.fromarray(np.stack([x * 6, y * 8, np.full_like(x, 90)], axis=-1).astype(np.uint8))


def shown(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(prepare(data).thumbnail))
    assert image.format == "WEBP"
    return image.convert("RGB")


def reason_of(data: bytes) -> Reason:
    with pytest.raises(ReadError) as error:
        prepare(data)
    assert error.value.detail.endswith(".")
    return error.value.reason


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_it_takes_every_common_format(form: str) -> None:
    data = encoded(gradient(), form)
    prepared = prepare(data)
    assert (prepared.width, prepared.height, prepared.format) == (40, 30, form)
    assert prepared.sha256 == hashlib.sha256(data).hexdigest()
    assert shown(data).size == (40, 30)


def test_it_shrinks_to_256_and_never_enlarges() -> None:
    assert shown(encoded(gradient(1000, 500), "PNG")).size == (256, 128)
    assert shown(encoded(gradient(500, 1000), "JPEG")).size == (128, 256)
    assert shown(encoded(gradient(2000, 1), "PNG")).size == (256, 1)
    assert shown(encoded(gradient(3, 5), "PNG")).size == (3, 5)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_turns_pictures_upright(form: str, orientation: int) -> None:
    image = Image.new("RGB", (320, 160), "black")
    image.paste((255, 0, 0), (0, 0, 80, 80))  # as stored: top left
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(image, form, exif=exif)
    prepared = prepare(data)
    turned = orientation >= 5
    assert (prepared.width, prepared.height) == ((160, 320) if turned else (320, 160))
    small = shown(data)
    assert small.size == ((128, 256) if turned else (256, 128))
    # Where the stored top left corner must be seen (EXIF 2.32, 4.6.4 A, Orientation).
    right = orientation in {2, 3, 6, 7}
    bottom = orientation in {3, 4, 7, 8}
    corner = ((small.width - 20) if right else 20, (small.height - 20) if bottom else 20)
    red = small.getpixel(corner)
    assert isinstance(red, tuple)
    assert red[0] > 200


@pytest.mark.parametrize("mode", ["P", "I;16", "RGB", "RGBA"])
def test_it_converts_a_large_picture_in_strips(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    most = 0

    def to_rgb(image: Image.Image) -> Image.Image:
        nonlocal most
        most = max(most, image.width * image.height)
        return whole(image)

    whole = pixels.to_rgb
    monkeypatch.setattr("embeddings.readers.pictures.LARGE", 1000)
    monkeypatch.setattr(pixels, "to_rgb", to_rgb)
    monkeypatch.setattr(pixels, "_STRIP", 5000)
    exif = Image.Exif()
    exif[0x0112] = 6
    small = shown(encoded(Image.new(mode, (1200, 600)), "PNG", exif=exif))
    assert (small.size, most <= 5000) == ((128, 256), True)


def test_it_survives_damaged_exif() -> None:
    data = encoded(gradient(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\xff\xff\xff")
    assert prepare(data).width == 40


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16", "F"])
def test_it_shows_every_mode(mode: str) -> None:
    source = gradient().convert("L")
    if mode == "I;16":
        image = Image.fromarray(np.asarray(source).astype(np.uint16) * 257)
    elif mode in {"I", "F"}:
        image = Image.fromarray(np.asarray(source).astype(np.int32 if mode == "I" else np.float32) * 1000)
    else:
        image = source.convert(mode)
    pixels = np.asarray(shown(encoded(image, "TIFF")).convert("L")).astype(int)
    assert pixels[:, 30:].mean() > pixels[:, :10].mean() + 20


def test_it_scales_16_bit_grey_instead_of_clipping_it() -> None:
    image = Image.fromarray(np.full((20, 20), 0x8000, np.uint16))
    assert abs(int(np.asarray(shown(encoded(image, "PNG"))).mean()) - 128) < 4


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_it_lays_transparency_on_white(mode: str) -> None:
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    if mode == "P":
        image = image.quantize(4)
        data = encoded(image, "PNG", transparency=0)
    else:
        data = encoded(image.convert(mode), "PNG")
    assert np.asarray(shown(data)).min() > 250


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF"])
def test_it_shows_the_first_frame_of_an_animation(form: str) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue", "green")]
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    pixel = np.asarray(shown(data))[10, 10]
    assert pixel[0] > 200
    assert pixel[2] < 60


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_it_calls_cut_pictures_corrupt(form: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 60, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), form)
    assert reason_of(data[: len(data) // 2]) is Reason.CORRUPT


def test_it_calls_damaged_pictures_corrupt() -> None:
    data = bytearray(encoded(gradient(), "PNG"))
    data[60:80] = bytes(20)
    assert reason_of(bytes(data)) is Reason.CORRUPT
    assert reason_of(b"") is Reason.CORRUPT
    assert reason_of(bytes(5000)) is Reason.CORRUPT
    assert reason_of(b"\xff\xd8\xff" + b"junk" * 10) is Reason.CORRUPT


@pytest.mark.parametrize(
    "data",
    [
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        b"<svg onload='alert(1)'/>",
        b"<!DOCTYPE html><html><script>alert(1)</script></html>",
        b"%PDF-1.7 ...",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"\0\0\0\x18ftypmp42",
        b"8BPS\0\1",
        b"just words",
        b"PK\3\4 a zip",
    ],
)
def test_it_refuses_what_is_no_supported_picture(data: bytes) -> None:
    assert reason_of(data) is Reason.UNSUPPORTED


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_it_refuses_bombs_by_their_header() -> None:
    assert reason_of(png_header(60_000, 60_000)) is Reason.BOMB
    assert reason_of(png_header(12_000, 11_000)) is Reason.BOMB
    assert reason_of(png_header(2**31 - 1, 2**31 - 1)) is Reason.BOMB
    with pytest.raises(ReadError) as error:
        prepare(encoded(gradient(), "PNG"), pixels=1_000)
    assert error.value.reason is Reason.BOMB


def test_it_refuses_a_png_whose_text_expands_without_end() -> None:
    data = encoded(gradient(), "PNG")
    body = b"Comment\0\0" + zlib.compress(bytes(80_000_000), 9)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    assert reason_of(data[:33] + chunk + data[33:]) is Reason.CORRUPT


def test_it_converts_colours_by_their_profile() -> None:
    xyz = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = xyz.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")  # red is blue
    data = encoded(Image.new("RGB", (20, 20), "red"), "PNG", icc_profile=swapped)
    red, _, blue = np.asarray(shown(data))[10, 10]
    assert blue > 200
    assert red < 60


@pytest.mark.parametrize("profile", [b"not a profile", bytes(200)])
def test_it_passes_over_broken_profiles(profile: bytes) -> None:
    assert prepare(encoded(gradient(), "JPEG", icc_profile=profile)).width == 40
    assert prepare(encoded(gradient().convert("L"), "PNG", icc_profile=profile)).width == 40


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_mutated_pictures_are_shown_or_refused_with_a_reason(form: str) -> None:
    chance = random.Random(form)
    whole = encoded(gradient(), form)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 2, 8, 40])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        assert outcome_of(bytes(data)) in {"shown", Reason.CORRUPT, Reason.BOMB, Reason.UNSUPPORTED}


def outcome_of(data: bytes) -> str:
    try:
        small = prepare(data, pixels=4_000_000).thumbnail
    except ReadError as error:
        return error.reason
    return "shown" if max(Image.open(io.BytesIO(small)).size) <= 256 else "too large"
