"""Scans of the same matrix that several threads ask for at a time go through it together.

As databases commit together: who comes while a pass runs waits for its end, and the next pass takes all who
wait. Nobody waits for company, and four together take little longer than one alone (see `dots.py`).
"""

from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from atlas.maps.vectors import Matrix
from atlas.search.scan import Scores, cosines


@dataclass
class _Asked:
    queries: NDArray[np.float32]
    scores: Scores | None = None


_guard = Lock()
_turns: dict[Path, Lock] = {}
_waiting: dict[Path, list[_Asked]] = {}


def scores_of(matrix: Matrix, queries: NDArray[np.float32]) -> Scores:
    """As `cosines`: (N, P) of the rows of the matrix with (P, d) queries of length 1."""
    mine = _Asked(queries)
    with _guard:
        turn = _turns.setdefault(matrix.folder, Lock())
        _waiting.setdefault(matrix.folder, []).append(mine)
    with turn:
        if mine.scores is None:
            with _guard:
                # Those of a pass that broke are in no list any more, and go alone.
                together = _waiting.pop(matrix.folder, None) or [mine]
            _pass(matrix, together)
    assert mine.scores is not None
    return mine.scores


def _pass(matrix: Matrix, together: list[_Asked]) -> None:
    found = cosines(matrix.vectors, np.concatenate([each.queries for each in together]))
    start = 0
    for each in together:
        stop = start + len(each.queries)
        each.scores = found[:, start:stop]
        start = stop
