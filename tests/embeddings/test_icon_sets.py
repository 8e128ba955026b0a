"""Drawings by other artists, read from icon sets."""

import io
import json
import re
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image, ImageColor

from embeddings.drawings.art import _styles_of_others
from embeddings.drawings.emoji import Emoji
from embeddings.drawings.sets import Drawing, icon_name, read_sets
from embeddings.errors import EmbeddingError, ModelError


def emoji(text: str, name: str) -> Emoji:
    return Emoji(text, name, "", "", ())


APPLE, FLAG, WAVE = (
    emoji("🍎", "red apple"),
    emoji("🇦🇽", "flag: Åland Islands"),
    emoji("👋🏿", "waving hand: dark skin tone"),
)


def draw(svg_string: str, width: int, height: int) -> bytes:
    """A square in the colour that the SVG names, as resvg would draw it."""
    fill = re.search(r'fill="(\w+)"', svg_string)
    if fill is None:
        raise ValueError("the document does not have a root node")
    picture = Image.new("RGBA", (width, height))
    inner = (width // 4, height // 4, width * 3 // 4, height * 3 // 4)
    picture.paste(ImageColor.getrgb(fill[1]), inner)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def rasteriser(monkeypatch: pytest.MonkeyPatch) -> None:
    """The project does not ask for the real one."""
    module = ModuleType("resvg_py")
    module.__spec__ = ModuleSpec("resvg_py", None)
    module.svg_to_bytes = draw  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "resvg_py", module)


def write_set(folder: Path, prefix: str, icons: dict[str, Any]) -> None:
    path = folder / prefix / "icons.json"
    path.parent.mkdir()
    bodies = {name: {"body": f'<rect fill="{fill}"/>'} for name, fill in icons.items()}
    path.write_text(json.dumps({"prefix": prefix, "icons": bodies, "width": 36, "height": 36}))


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("red apple", "red-apple"),
        ("flag: Åland Islands", "flag-aland-islands"),
        ("flag: Antigua & Barbuda", "flag-antigua-and-barbuda"),
        ("keycap: #", "keycap-hash"),
        ("Japanese “here” button", "japanese-here-button"),
    ],
)
def test_an_emoji_is_called_as_the_sets_call_it(name: str, called: str) -> None:
    assert icon_name(name) == called


@pytest.mark.usefixtures("rasteriser")
def test_it_finds_each_sets_drawing_of_an_emoji(tmp_path: Path) -> None:
    write_set(tmp_path, "one", {"red-apple": "red", "flag-for-aland-islands": "blue", "unknown": "lime"})
    write_set(tmp_path, "two", {"red-apple-1": "maroon", "waving-hand-dark": "brown"})
    found = read_sets(tmp_path, [APPLE, FLAG, WAVE])
    names = {text: [drawing.name for drawing in drawings] for text, drawings in found.items()}
    assert names == {
        "🍎": ["one:red-apple", "two:red-apple-1"],
        "🇦🇽": ["one:flag-for-aland-islands"],
        "👋🏿": ["two:waving-hand-dark"],
    }
    picture = found["🍎"][1].picture(16)
    assert picture.size == (16, 16)
    assert picture.getpixel((8, 8)) == (128, 0, 0, 255)


@pytest.mark.usefixtures("rasteriser")
def test_other_artists_together_weigh_the_same_however_many_they_are() -> None:
    red, lime = (Drawing(fill, f'<svg fill="{fill}"/>') for fill in ("red", "lime"))
    weights = [sum(weight for _, weight in _styles_of_others(others)) for others in ([red], [red, lime], [])]
    assert weights == pytest.approx([weights[0], weights[0], 0])


@pytest.mark.usefixtures("rasteriser")
def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match="holds no icon sets"):
        read_sets(tmp_path, [APPLE])
    path = tmp_path / "set" / "icons.json"
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(ModelError, match=r"icons\.json is not JSON"):
        read_sets(tmp_path, [APPLE])
    path.write_text('{"prefix": "set"}')
    with pytest.raises(EmbeddingError, match=r"icons\.json is no icon set"):
        read_sets(tmp_path, [APPLE])
    with pytest.raises(EmbeddingError, match="set:red-apple cannot be drawn"):
        Drawing("set:red-apple", "<svg").picture(8)


@pytest.mark.usefixtures("rasteriser")
def test_the_drawings_it_is_measured_with_are_refused(tmp_path: Path) -> None:
    write_set(tmp_path, "openmoji", {"red-apple": "red"})
    with pytest.raises(EmbeddingError, match="leave it out"):
        read_sets(tmp_path, [APPLE])


def test_without_the_rasteriser_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    write_set(tmp_path, "one", {"red-apple": "red"})
    with pytest.raises(EmbeddingError, match="pip install resvg-py"):
        read_sets(tmp_path, [APPLE])
