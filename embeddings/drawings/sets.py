"""The same emoji as other artists drew them: openly licensed icon sets, read where a run is given a folder.

A set is the unpacked npm package `@iconify-json/<name>`: `icons.json` has its drawings as SVG by name. Which
sets `mini` learned from, and under which licences, is in `weights/mini/README.md`; their art is not here.
"""

import io
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from embeddings.drawings.emoji import Emoji
from embeddings.errors import EmbeddingError

#: Measured with, so never learned from.
HELD_OUT = "openmoji"
_TONED = re.compile(r"-(?:light|medium-light|medium|medium-dark|dark)$")


@dataclass(frozen=True)
class Drawing:
    """One SVG of a set."""

    svg: str

    def picture(self, side: int) -> Image.Image:
        """RGBA on a transparent square of `side` pixels."""
        import resvg_py  # only whoever trains on icon sets needs it

        data = bytes(resvg_py.svg_to_bytes(svg_string=self.svg, width=side, height=side))
        return Image.open(io.BytesIO(data)).convert("RGBA")


def read_sets(folder: Path, emoji: Sequence[Emoji]) -> dict[str, list[Drawing]]:
    """{an emoji's text: its drawings, one of each set that has it}. Raises EmbeddingError."""
    texts = {icon_name(one.name): one.text for one in emoji}
    drawings: dict[str, list[Drawing]] = {}
    files = sorted(folder.glob("*/icons.json"))
    if not files:
        raise EmbeddingError(f"{folder} holds no icon sets (folders with an icons.json)")
    for file in files:
        icons = json.loads(file.read_text(encoding="utf-8"))
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
            found.setdefault(called, Drawing(svg))
    return found


def _also_called(name: str) -> list[str]:
    country = re.sub(r"^flag-for-(?:flag-)?", "flag-", name)
    return [country, re.sub(r"-\d$", "", name), f"{name}-skin-tone" if _TONED.search(name) else name]
