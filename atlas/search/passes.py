"""What queries that came together need goes together, too: eight take two or three times as long as one on
their way through a matrix (see `dots.py`), and so do eight texts through a tower.

Whoever needs it is a generator: it yields what is to be done, gets what came of it, and goes on.
"""

from collections.abc import Generator, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from threading import BoundedSemaphore
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from atlas.cores import cores
from atlas.maps.towers import Vectors
from atlas.maps.vectors import Matrix
from atlas.search.scan import Scores, cosines
from atlas.search.vectors import vectors_of_texts


@dataclass(frozen=True)
class Scan:
    """Answered with `cosines`: (N, P) of the rows of the matrix with (P, d) queries of length 1."""

    matrix: Matrix
    queries: NDArray[np.float32]

    @property
    def key(self) -> Hashable:
        """Those with the same go together."""
        return self.matrix.folder

    @staticmethod
    def all(scans: "Sequence[Scan]") -> list[Scores]:
        """What came of each."""
        queries = np.concatenate([scan.queries for scan in scans])
        with _scanning:
            found = cosines(scans[0].matrix.vectors, queries)
        ends = accumulate((len(scan.queries) for scan in scans), initial=0)
        return [found[:, start:end] for start, end in pairwise(ends)]


@dataclass(frozen=True)
class Texts:
    """Answered with `vectors_of_texts`."""

    model: str
    texts: frozenset[str]

    @property
    def key(self) -> Hashable:
        """Those with the same go together."""
        return self.model

    @staticmethod
    def all(asked: "Sequence[Texts]") -> list[dict[str, Vectors]]:
        """What came of each."""
        found = vectors_of_texts(asked[0].model, frozenset().union(*(each.texts for each in asked)))
        return [{text: found[text] for text in each.texts} for each in asked]


#: A pass takes a whole processor: the other half of them answers meanwhile. Whoever came first is done first.
_scanning = BoundedSemaphore(max(1, cores() // 2))

T = TypeVar("T")
Step: TypeAlias = Scan | Texts
Work: TypeAlias = Generator[Step, Any, T]
#: Whose it is, and what goes on with what came of the step.
_Wanted: TypeAlias = tuple[int, Generator[Step, Any, Any], Step]


def together(works: Sequence[Work[T]]) -> Iterator[tuple[int, T | Exception]]:
    """(its place, what it returned or raised) of each, as soon as it is done."""
    ready: list[tuple[int, Work[T], Any]] = [(place, work, None) for place, work in enumerate(works)]
    wanted: dict[Hashable, list[_Wanted]] = {}
    while ready or wanted:
        for place, work, outcome in ready:
            try:
                step = work.throw(outcome) if isinstance(outcome, Exception) else work.send(outcome)
            except StopIteration as end:
                yield place, end.value
            except Exception as error:  # noqa: BLE001 - the others know nothing of it, and go on
                yield place, error
            else:
                wanted.setdefault((type(step), step.key), []).append((place, work, step))
        # First the texts: those who ask by words share the pass of those who need no vector of words.
        texts = [group for group, [(_, _, step), *_] in wanted.items() if isinstance(step, Texts)]
        ready = [each for group in texts or list(wanted) for each in _taken(wanted.pop(group))]


def alone(work: Work[T]) -> T:
    """What it returns."""
    [(_, found)] = together([work])
    if isinstance(found, Exception):
        raise found
    return found


def _taken(group: Sequence[_Wanted]) -> Iterator[tuple[int, Generator[Step, Any, Any], Any]]:
    outcomes = _outcomes([step for _, _, step in group])
    for (place, work, _), outcome in zip(group, outcomes, strict=True):
        yield place, work, outcome


def _outcomes(steps: Sequence[Any]) -> list[Any]:
    """What came of each of one kind; one that breaks it for all breaks by itself then."""
    try:
        return list(steps[0].all(steps))
    except Exception as error:  # noqa: BLE001 - thrown into whose step it is
        return [error] if len(steps) == 1 else [outcome for step in steps for outcome in _outcomes([step])]
