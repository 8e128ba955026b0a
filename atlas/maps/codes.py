"""Columns of a map as codes: one small number for every point, as FORMAT.md describes them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from atlas.maps.histogram import edges_of, is_whole

Codes = npt.NDArray[np.uint8 | np.uint16]

MOST_VALUES = 65_535  # different words of a category
_STEPS = 65_534  # of a number; 65,535 is "missing"
_LOG_RATIO = math.log(1000)  # numbers that span more than this are stored by their logarithm


class BadColumnError(ValueError):
    """A column cannot be put on the map; the sentence names it."""


class TooManyValuesError(BadColumnError):
    """A category has `different` values, more than codes."""

    def __init__(self, name: str, different: int) -> None:
        super().__init__(
            f"column {name!r} has {different:,} different values, a map can show {MOST_VALUES:,}"
        )
        self.different = different


@dataclass(frozen=True)
class Column:
    """One value per point, as codes (N,) of u8 or u16; the type's highest code means "missing"."""

    name: str
    kind: str  # category, number, date, topic
    codes: Codes
    about: dict[str, Any] = field(default_factory=dict)  # goes into the manifest
    values: dict[str, Any] | None = None  # goes into values.json

    @classmethod
    def category(cls, name: str, values: Sequence[str | None]) -> Self:
        """Words, the commonest first. Raises TooManyValuesError beyond 65,535 different ones."""
        # By a dictionary: numpy would give every row the room of the longest word.
        places: dict[str, int] = {}
        given = np.array(
            [-1 if word is None else places.setdefault(word, len(places)) for word in values], np.int64
        )
        if len(places) > MOST_VALUES:
            raise TooManyValuesError(name, len(places))
        present = given >= 0
        words = list(places)
        counts = np.bincount(given[present], minlength=len(words)).tolist()
        order = sorted(range(len(words)), key=lambda at: (-counts[at], words[at]))
        width: type[np.uint8 | np.uint16] = np.uint8 if len(words) <= 255 else np.uint16
        place = np.empty(len(words), width)
        place[order] = np.arange(len(words))
        codes = np.full(len(given), np.iinfo(width).max, width)
        codes[present] = place[given[present]]
        listed = {
            "values": [words[at] for at in order], "counts": [counts[at] for at in order],
            "missing": int((~present).sum()),
        }  # fmt: skip
        return cls(name, "category", codes, {"size": len(words)}, listed)

    @classmethod
    def number(cls, name: str, values: npt.NDArray[np.floating], kind: str = "number") -> Self:
        """Numbers, NaN for a missing one, in 65,535 steps from the lowest to the highest; infinities are
        missing."""
        given = np.asarray(values, np.float64)
        known = np.isfinite(given)
        low, high = (float(given[known].min()), float(given[known].max())) if known.any() else (0.0, 0.0)
        # Differences of logarithms: the ratio itself may overflow, as the span may below.
        scale = "log" if low > 0 and math.log(high) - math.log(low) > _LOG_RATIO else "linear"
        if high > low and scale == "log":
            share = (np.log(given[known]) - math.log(low)) / (math.log(high) - math.log(low))
        elif high > low:
            share = (given[known] / 2 - low / 2) / (high / 2 - low / 2)
        else:
            share = np.zeros(int(known.sum()))
        codes = np.full(len(given), 65_535, np.uint16)
        codes[known] = np.rint(np.clip(share, 0, 1) * _STEPS)
        listed: dict[str, Any] = {"histogram": [], "missing": int((~known).sum())}
        if known.any():
            edges = edges_of(given[known], logarithmic=scale == "log", dates=kind == "date")
            counts = np.histogram(given[known], edges)[0]
            whole = kind == "number" and is_whole(given[known])
            listed |= {"histogram": counts.tolist(), "edges": edges.tolist(), "whole": whole}
        return cls(name, kind, codes, {"min": low, "max": high, "scale": scale}, listed)

    @classmethod
    def date(cls, name: str, seconds: npt.NDArray[np.floating]) -> Self:
        """Seconds since 1970-01-01 UTC, NaN for a missing one."""
        return cls.number(name, seconds, "date")

    @classmethod
    def topics(cls, name: str, ids: npt.NDArray[np.integer]) -> Self:
        """Ids of topics as in labels.json, negative for "in none"."""
        highest = int(ids.max(initial=0))
        if highest >= 65_535:
            raise BadColumnError(f"column {name!r} has topic {highest}, a map can show 65,535")
        width = np.uint8 if highest < 255 else np.uint16
        return cls(name, "topic", np.where(ids < 0, np.iinfo(width).max, ids).astype(width))

    def marked_computed(self) -> Self:
        """The same, said to be computed by the build: its name may be that of an uploaded column."""
        return replace(self, about=self.about | {"computed": True})

    def entry(self, key: str) -> dict[str, Any]:
        """What the manifest says about it."""
        width = "u8" if self.codes.dtype == np.uint8 else "u16"
        return {
            "key": key, "name": self.name, "kind": self.kind, "type": width,
            "missing": int(np.iinfo(self.codes.dtype).max), **self.about,
        }  # fmt: skip
