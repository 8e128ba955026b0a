"""The same emoji as other artists drew them: openly licensed icon sets, read where a run is given a folder.

A set is the unpacked npm package `@iconify-json/<name>`: `icons.json` has its drawings as SVG by name. Their
art is not here; `weights/mini/README.md` says which sets `mini` learned from, their licences, and where they
are.
"""

import importlib.util
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from embeddings.configs import read_json
from embeddings.drawings.emoji import Emoji
from embeddings.errors import EmbeddingError

#: Measured with, so never learned from.
HELD_OUT = "openmoji"
#: The package that draws SVG; only whoever trains on icon sets needs it.
RASTERISER = "resvg-py==0.5.0"
_TONED = re.compile(r"-(?:light|medium-light|medium|medium-dark|dark)$")


@dataclass(frozen=True)
class Drawing:
    """One SVG of a set."""

    name: str
    svg: str

    def picture(self, side: int) -> Image.Image:
        """RGBA, its longer side `side` pixels. Raises EmbeddingError that names a drawing that is no SVG."""
        import resvg_py

        try:
            data = bytes(resvg_py.svg_to_bytes(svg_string=self.svg, width=side, height=side))
        except ValueError as error:
            raise EmbeddingError(f"{self.name} cannot be drawn: {error}") from error
        return Image.open(io.BytesIO(data)).convert("RGBA")


def read_sets(folder: Path, emoji: Sequence[Emoji]) -> dict[str, list[Drawing]]:
    """{an emoji's text: its drawings, one of each set that has it}. Raises EmbeddingError."""
    texts = {icon_name(one.name): one.text for one in emoji}
    drawings: dict[str, list[Drawing]] = {}
    files = sorted(folder.glob("*/icons.json"))
    if not files:
        raise EmbeddingError(f"{folder} holds no icon sets (folders with an icons.json)")
    if importlib.util.find_spec("resvg_py") is None:
        raise EmbeddingError(f"icon sets are drawn by a package that is missing: pip install {RASTERISER}")
    for file in files:
        icons = read_json(file)
        if not isinstance(icons.get("prefix"), str) or not isinstance(icons.get("icons"), dict):
            raise EmbeddingError(f"{file} is no icon set: it lacks a prefix or icons")
        if HELD_OUT in icons["prefix"]:
            raise EmbeddingError(f"{file} is {HELD_OUT}, with which towers are measured: leave it out")
        for name, drawing in _by_emoji_name(icons).items():
            if name in texts:
                drawings.setdefault(texts[name], []).append(drawing)
    return drawings


def icon_name(name: str) -> str:
    """ "flag: Åland Islands" is called "flag-aland-islands" in the sets."""
    plain = unicodedata.normalize(
        "NFD", name.replace("&", "and").replace("#", "hash").replace("*", "asterisk")
    )
    letters = "".join(each for each in plain if not unicodedata.combining(each) and each not in "“”’")
    return re.sub(r"[^a-z0-9]+", "-", letters.lower()).strip("-")


def _by_emoji_name(icons: dict[str, Any]) -> dict[str, Drawing]:
    """A set's drawings under the names that emoji have; of variants the first."""
    found: dict[str, Drawing] = {}
    for name, icon in icons["icons"].items():
        width, height = (icon.get(side) or icons.get(side) or 16 for side in ("width", "height"))
        left, top = icon.get("left", 0), icon.get("top", 0)
        body = icon["body"].replace("currentColor", "#000")
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
            f' viewBox="{left} {top} {width} {height}">{body}</svg>'
        )
        for called in (name, *_also_called(name)):
            found.setdefault(called, Drawing(f"{icons['prefix']}:{name}", svg))
    return found


def _also_called(name: str) -> list[str]:
    country = re.sub(r"^flag-for-(?:flag-)?", "flag-", name)
    return [country, re.sub(r"-\d$", "", name), f"{name}-skin-tone" if _TONED.search(name) else name]
