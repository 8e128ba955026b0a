"""What the values of a category say of topics: "Prunus persica" where most records are of that species."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from atlas.maps.codes import Column
from atlas.maps.phrases import WIDE, cut
from atlas.maps.terms import stems

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

_MOST_VALUES = 3
HELD = 0.4  # share of a topic's records that must have one of the values that name it
_LEAST = 0.15  # of one value; also by how much more the topic must have it than its siblings
_ALONE = 0.1  # one value alone must hold for so many more
_ENOUGH = 0.6
_APART = 0.3
_MOST_DIFFERENT = 5_000  # values of a column; more are names of records rather than of groups
_EMPTY = frozenset(
    ("yes", "no", "true", "false", "none", "null", "nan", "n/a", "na", "unknown", "undefined", "other")
)


@dataclass(frozen=True)
class Categories:
    """By column: its values, and the share (topics, values) of each topic's records that have them."""

    columns: list[tuple[list[str], Floats]]

    @classmethod
    def read(cls, ids: Ints, topics: int, columns: Sequence[Column]) -> "Categories":
        found = []
        for column in columns:
            values: list[str] = (column.values or {})["values"]
            if not 1 < len(values) <= _MOST_DIFFERENT:
                continue
            counts = np.zeros((topics, len(values) + 1), np.float32)
            codes = np.minimum(column.codes, len(values)).astype(np.int64)  # the last: has none
            for of in ids:
                here = of >= 0
                np.add.at(counts, (of[here], codes[here]), 1)
            share = counts[:, :-1] / np.maximum(counts.sum(axis=1, keepdims=True), 1)
            found.append((values, share * np.array([_is_telling(value) for value in values])))
        return cls(found)

    def name(
        self, topic: int, siblings: list[int], parent: str, least: float = HELD
    ) -> tuple[str | None, float]:
        """Up to three values of the column that holds most for the topic and least for its siblings, and the
        share of its records that have one of them, `least` or more. `parent`: a name that is not repeated."""
        best: tuple[str | None, float] = (None, 0.0)
        most = 0.0
        for values, share in self.columns:
            mine = share[topic]
            more = mine - share[siblings].mean(axis=0) if siblings else mine
            chosen: list[str] = []
            held = gained = 0.0
            for at in np.argsort(-mine, kind="stable")[:_MOST_VALUES].tolist():
                if min(mine[at], more[at]) < _LEAST or not stems(values[at]) - stems(parent):
                    continue
                if chosen and len(", ".join([*chosen, _shown(values[at])])) > WIDE:
                    break
                chosen.append(_shown(values[at]))
                held, gained = held + float(mine[at]), gained + float(more[at])
                if held >= _ENOUGH:
                    break
            gained /= max(len(chosen), 1) ** 0.5  # of two columns that say the same, the one in fewer words
            enough = least if len(chosen) > 1 else min(HELD, least + _ALONE)
            if held >= enough and gained > most:
                best, most = (", ".join(chosen), held), gained
        return best

    def apart(self, topic: int, namesakes: list[int], name: str) -> str | None:
        """A value that this topic has and its namesakes have far less."""
        best, most = None, _APART
        for values, share in self.columns:
            more = share[topic] - share[namesakes].max(axis=0)
            at = int(more.argmax())
            if more[at] >= most and stems(values[at]) - stems(name):
                best, most = _shown(values[at]), float(more[at])
        return best


def _shown(value: str) -> str:
    """Written for people: "transport-ground" is "transport ground"."""
    return cut(re.sub(r"(?<=\w)[-_]+(?=\w)", " ", value) if re.fullmatch(r"[a-z0-9_-]+", value) else value)


def _is_telling(value: str) -> bool:
    return bool(stems(value)) and value.strip().casefold() not in _EMPTY
