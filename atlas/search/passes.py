"""Queries that came together go through a matrix together: four take little longer than one (see `dots.py`).

Whoever needs a matrix scanned is a generator: it yields what is to be scanned, gets the scores, and goes on.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from atlas.cores import cores
from atlas.maps.vectors import Matrix
from atlas.search.scan import Scores, cosines


@dataclass(frozen=True)
class Scan:
    """Answered with `cosines`: (N, P) of the rows of the matrix with (P, d) queries of length 1."""

    matrix: Matrix
    queries: NDArray[np.float32]


#: A pass takes a whole processor: the other half of them answers meanwhile. Whoever came first is done first.
_scanning = BoundedSemaphore(max(1, cores() // 2))

T = TypeVar("T")
Work: TypeAlias = Generator[Scan, Scores, T]
#: Whose it is, and what goes on with the scores.
_Wanted: TypeAlias = tuple[int, Generator[Scan, Scores, Any], Scan]


def together(works: Sequence[Work[T]]) -> Iterator[tuple[int, T | Exception]]:
    """(its place, what it returned or raised) of each, as soon as it is done."""
    ready: list[tuple[int, Work[T], Any]] = [(place, work, None) for place, work in enumerate(works)]
    while ready:
        wanted: dict[Path, list[_Wanted]] = {}
        for place, work, scores in ready:
            try:
                scan = work.send(scores)
            except StopIteration as end:
                yield place, end.value
            except Exception as error:  # noqa: BLE001 - the others know nothing of it, and go on
                yield place, error
            else:
                wanted.setdefault(scan.matrix.folder, []).append((place, work, scan))
        ready = []
        for group in wanted.values():
            try:
                ready += list(_scanned(group))
            except Exception as error:  # noqa: BLE001 - those of another matrix go on
                yield from ((place, error) for place, _, _ in group)


def alone(work: Work[T]) -> T:
    """What it returns."""
    [(_, found)] = together([work])
    if isinstance(found, Exception):
        raise found
    return found


def _scanned(group: list[_Wanted]) -> Iterator[tuple[int, Generator[Scan, Scores, Any], Scores]]:
    matrix = group[0][2].matrix
    queries = np.concatenate([scan.queries for _, _, scan in group])
    with _scanning:
        found = cosines(matrix.vectors, queries)
    start = 0
    for place, work, scan in group:
        stop = start + len(scan.queries)
        yield place, work, found[:, start:stop]
        start = stop
