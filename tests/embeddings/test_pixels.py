import io
import json
import struct
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngImageFile

from embeddings import pixels as pixels_module
from embeddings.errors import ItemError, ModelError
from embeddings.pixels import PixelRecipe, open_picture, reduced
from embeddings.readers import pictures

GOLDEN = Path(__file__).parents[1] / "golden"
CLIP = {
    "size": {"shortest_edge": 8},
    "crop_size": {"height": 8, "width": 8},
    "image_mean": [0.0, 0.0, 0.0],
    "image_std": [1.0, 1.0, 1.0],
}


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("model", ["vision_v1", "vision_v1_5"])
def test_it_prepares_pixels_exactly_as_the_published_processor(model: str) -> None:
    recipe = PixelRecipe.from_folder(GOLDEN / model)
    case = np.load(GOLDEN / "cases" / model / "images.npz")
    expected = case["pixel_values"].copy()
    expected[case["alpha_rows"]] = case["pixel_values_alpha_on_white"]
    names = json.loads((GOLDEN / "images" / "order.json").read_text())
    pixels = np.stack([recipe(open_picture(GOLDEN / "images" / name)) for name in names])
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels, expected, atol=1e-5)


def test_it_keeps_the_shape_and_cuts_the_middle_where_the_config_names_a_shortest_edge() -> None:
    wide = Image.new("RGB", (32, 16), "red")
    wide.paste("blue", (8, 0, 24, 16))  # the middle half
    pixels = PixelRecipe.from_dict(CLIP)(wide)
    assert pixels.shape == (3, 8, 8)
    assert (pixels[2] > 0.9).all()


def test_it_reads_plain_numbers_as_size_and_crop() -> None:
    plain = PixelRecipe.from_dict(CLIP | {"size": 8, "crop_size": 8})
    assert plain == PixelRecipe.from_dict(CLIP)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"do_resize": False}, "do_resize"),
        ({"do_rescale": False}, "do_rescale"),
        ({"size": {"longest_edge": 8}}, "size"),
        ({"crop_size": 9}, "crop_size"),
        ({"image_mean": [0.5]}, "image_mean"),
    ],
)
def test_it_names_the_setting_it_cannot_honour(change: dict[str, object], named: str) -> None:
    with pytest.raises(ModelError, match=named):
        PixelRecipe.from_dict(CLIP | change)


@pytest.mark.parametrize(
    "mode",
    [
        "1",
        "L",
        "LA",
        "La",
        "P",
        "PA",
        "RGB",
        "RGBA",
        "RGBa",
        "RGBX",
        "CMYK",
        "YCbCr",
        "LAB",
        "HSV",
        "I",
        "F",
        "I;16",
        "I;16L",
        "I;16B",
        "I;16N",
    ],
)
def test_it_opens_every_mode_as_rgb(mode: str) -> None:
    opened = open_picture(Image.new(mode, (5, 4)))
    assert (opened.mode, opened.size) == ("RGB", (5, 4))


def test_it_scales_sixteen_bits_to_eight_instead_of_clipping() -> None:
    ramp = Image.fromarray(np.array([[0, 128 * 257, 65535]], dtype=np.uint16))
    assert np.asarray(open_picture(saved(ramp, "PNG")))[0, :, 0].tolist() == [0, 128, 255]


def test_it_scales_float_pixels_by_the_range_they_suggest() -> None:
    unit = Image.fromarray(np.array([[0, 0.5, 1]], dtype=np.float32))
    assert np.asarray(open_picture(unit))[0, :, 0].tolist() == [0, 128, 255]


def test_it_keeps_colours_of_lab_and_cmyk_pictures() -> None:
    orange = Image.new("RGB", (4, 4), (230, 120, 40))
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = ImageCms.profileToProfile(orange, *profiles, outputMode="LAB")
    assert lab is not None
    for picture in (lab, orange.convert("CMYK"), orange.convert("HSV"), orange.convert("YCbCr")):
        np.testing.assert_allclose(np.asarray(open_picture(picture)), np.asarray(orange), atol=6)


def test_it_lays_transparency_on_white() -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([255, 0, 0])
    for data in (
        saved(clear, "PNG"),
        saved(palette, "PNG", transparency=0),
        saved(clear, "WEBP", lossless=True),
    ):
        assert open_picture(data).getpixel((0, 0)) == (255, 255, 255)


def test_it_turns_a_photo_the_way_its_exif_orientation_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    assert open_picture(saved(Image.new("RGB", (40, 20)), "JPEG", exif=exif)).size == (20, 40)


def test_a_mistyped_tag_beside_the_orientation_costs_nothing() -> None:
    turned = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    resolution = struct.pack("<HHI4s", 0x011A, 2, 3, b"72")  # as text, where two numbers belong
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + turned + resolution + bytes(4)
    data = saved(Image.new("RGB", (40, 20)), "JPEG", exif=exif)
    assert open_picture(data).size == (20, 40)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"hello", "format we do not read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "format we do not read"),
        (saved(Image.effect_noise((64, 64), 50), "PNG")[:900], "damaged"),
        (saved(Image.effect_noise((64, 64), 50), "JPEG")[:900], "damaged"),
    ],
)
def test_it_names_the_item_and_what_is_wrong_with_it(data: bytes, reason: str) -> None:
    with pytest.raises(ItemError, match=reason) as caught:
        open_picture(data, item="cat.png")
    assert caught.value.item == "cat.png"
    assert "cat.png" in str(caught.value)


def test_it_refuses_a_bomb_by_its_header_alone() -> None:
    header = saved(Image.new("1", (8, 8)), "PNG")
    bomb = header[:16] + (60000).to_bytes(4, "big") + (60000).to_bytes(4, "big") + header[24:]
    with pytest.raises(ItemError):
        open_picture(bomb)
    with pytest.raises(ItemError, match="30 × 20 pixels are more than the 500 allowed"):
        open_picture(saved(Image.new("1", (30, 20)), "PNG"), max_pixels=500)


def test_it_says_when_there_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(ItemError, match="cannot be read: No such file"):
        open_picture(tmp_path / "nowhere.png")


def test_it_refuses_a_picture_without_pixels() -> None:
    with pytest.raises(ItemError, match="no pixels"):
        open_picture(Image.new("RGB", (0, 5)))


@pytest.mark.parametrize(
    ("kind", "mode", "size"),
    [("JPEG", "L", (4096, 2560)), ("PNG", "L", (4096, 2560)), ("PNG", "P", (4096, 2560))],
)
def test_it_reduces_a_huge_picture(kind: str, mode: str, size: tuple[int, int]) -> None:
    opened = open_picture(saved(Image.new(mode, (8192, 5120)), kind))
    assert (opened.mode, opened.size) == ("RGB", size)


@pytest.mark.parametrize("mode", ["1", "P", "L", "I", "I;16", "F", "CMYK"])
def test_a_large_picture_looks_as_it_does_whole(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ramp = np.tile(np.linspace(0, 255, 90, dtype=np.uint8)[:, None], (1, 61))
    image = Image.fromarray(ramp)
    if mode in ("I", "F", "I;16"):
        image = Image.fromarray(ramp.astype({"I": np.int32, "F": np.float32, "I;16": np.uint16}[mode]) * 257)
    elif mode != "L":
        image = image.convert(mode)
    whole = open_picture(image)
    monkeypatch.setattr(pixels_module, "_STRIP", 61 * 8)  # several strips of it, the last one shorter
    small = reduced(image, 4)
    assert (small.mode, small.size) == ("RGB", (-(-61 // 4), -(-90 // 4)))
    np.testing.assert_allclose(np.asarray(small), np.asarray(whole.reduce(4)), atol=2)


def test_a_strip_is_cut_to_its_middle_before_it_is_resized(monkeypatch: pytest.MonkeyPatch) -> None:
    resized: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def noted(image: Image.Image, size: tuple[int, int], *rest: Any) -> Image.Image:
        resized.append(size)
        return resize(image, size, *rest)

    monkeypatch.setattr(Image.Image, "resize", noted)
    strip = Image.new("RGB", (1, 6501), "red")
    strip.paste("blue", (0, 3200, 1, 3301))
    pixels = PixelRecipe.from_dict(CLIP)(strip)
    assert resized == [(8, 8 * 64)]
    assert (pixels[2] == 1).all()


def test_a_huge_photo_is_turned_too() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert open_picture(saved(Image.new("L", (8192, 5120)), "JPEG", exif=exif)).size == (2560, 4096)


def decode_small(data: bytes) -> Image.Image:
    return pictures.decode(pictures.open_picture(data), longest=8)


@pytest.mark.parametrize("decode", [open_picture, decode_small])
@pytest.mark.parametrize("large", [10, 10**6])
def test_pictures_that_fill_the_room_are_decoded_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch, decode: Callable[[bytes], Image.Image], large: int
) -> None:
    """Whether they are reduced on the way or not."""
    data = saved(Image.new("RGBA", (40, 30), (255, 0, 0, 128)), "PNG")
    alone = Lock()
    load = PngImageFile.load

    def watched(image: PngImageFile) -> Any:
        if image.size != (40, 30):
            return load(image)
        assert alone.acquire(blocking=False)
        try:
            time.sleep(0.01)  # for others to come in, if they could
            return load(image)
        finally:
            alone.release()

    monkeypatch.setattr(PngImageFile, "load", watched)
    monkeypatch.setattr(pixels_module, "LARGE", large)
    monkeypatch.setattr(pictures, "LARGE", large)
    monkeypatch.setattr(pixels_module, "ROOM", 40 * 30 * 24 + 1)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(decode, [data] * 8))
    assert {image.mode for image in found} == {"RGB"}


def test_a_damaged_or_too_large_picture_leaves_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = saved(Image.effect_noise((40, 30), 50), "PNG")
    monkeypatch.setattr(pixels_module, "ROOM", 100)
    for _ in range(2):
        with pytest.raises(ItemError, match="damaged"):
            open_picture(whole[:-100])
        assert open_picture(whole).size == (40, 30)


@pytest.mark.parametrize(
    ("kind", "options", "bytes_"),
    [
        ("PNG", {}, 4096 * 4096 * 24),
        ("JPEG", {}, 512 * 512 * 12),  # read at an eighth of its sides
        ("JPEG", {"progressive": True}, 4096 * 4096 * 12),
    ],
)
def test_a_picture_takes_the_room_that_it_is_decoded_in(
    monkeypatch: pytest.MonkeyPatch, kind: str, options: dict[str, Any], bytes_: int
) -> None:
    taken: list[int] = []
    take = pixels_module._room.take

    def noted(count: int) -> Any:
        taken.append(count)
        return take(count)

    monkeypatch.setattr(pixels_module._room, "take", noted)
    pictures.decode(pictures.open_picture(saved(Image.new("L", (4096, 4096)), kind, **options)), longest=256)
    assert taken == [bytes_]


def test_it_leaves_the_callers_picture_as_it_was() -> None:
    mine = Image.new("RGBA", (4, 4), (1, 2, 3, 4))
    open_picture(mine)
    assert (mine.mode, mine.getpixel((0, 0))) == ("RGBA", (1, 2, 3, 4))
