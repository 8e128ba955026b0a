"""One query over many datasets: each is scored on its own, the groups are put in order.

Which records of a dataset are hits, and in what order, its own scores say: how far a record stands out there.
Which of two datasets has what was asked for they do not say. The best of n records that have nothing of it
stands out by about √(2 ln n) deviations: 3 of a hundred, 5 of a million (Leadbetter, Lindgren and Rootzén
1983, Extremes and Related Properties of Random Sequences and Processes, 1.5). And where all records are about
it, none stands out.

So the groups are ordered by another score of the same records, on a scale over all datasets. One tower made
all vectors, and the modality gap (see `scan.py`) lies between spaces, not between datasets: cosines of the
same part in the same space mean the same in each of them. The moments of all of these together bring them to
one scale, on which spaces and parts are put together as within a dataset. For one part in one space this is
the order of the cosines themselves, however large each dataset is.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from atlas import clock
from atlas.maps.models import Space
from atlas.maps.towers import TowerError
from atlas.patience import AWAY
from atlas.search import engine
from atlas.search.query import Query
from atlas.search.scan import Moments, Scores, combine, cosines, over_spaces, pooled, standardise
from atlas.search.vectors import QueryError

log = logging.getLogger(__name__)


class Seen(NamedTuple):
    """A dataset's hits in one space: the rest of it is in the moments, so that none is kept whole."""

    #: (H, P) with each part.
    cosines: Scores
    #: (H,) whether it has a vector.
    present: NDArray[np.bool_]
    #: Of each part's cosines with all records.
    moments: Sequence[Moments]


def answer(datasets: list[dict[str, Any]], query: Query, until: float) -> dict[str, Any]:
    """`{"groups": [{"id", "relevant", "hits"}], "skipped": [{"id", "reason"}]}`, best group first.

    Args:
        datasets: what the asker may search, `{"id", "row_count", "captions": whether these may be read}`.
        until: the time after which nobody waits for another dataset, as by `clock.now`.

    A group is as good as its best hit is among the records of all datasets.
    """
    groups: list[dict[str, Any]] = []
    seen: list[Mapping[Space, Seen]] = []
    skipped: list[dict[str, str]] = []
    for dataset in datasets:
        if query.mode == "words" and not dataset["captions"]:
            skipped.append({"id": dataset["id"], "reason": "Its captions are hidden from you."})
            continue
        if clock.now() >= until:
            skipped.append({"id": dataset["id"], "reason": "There was no time left for it."})
            continue
        allowed = query if dataset["captions"] else without_captions(query)
        try:
            found = engine.answer(UUID(dataset["id"]), dataset["row_count"], allowed)
        except (QueryError, TowerError) as error:
            skipped.append({"id": dataset["id"], "reason": str(error)})
            continue
        except AWAY:  # as it is for all others
            raise
        except Exception:
            log.exception("Dataset %s could not be searched.", dataset["id"])
            skipped.append(
                {"id": dataset["id"], "reason": "It broke the search: the server's log tells why."}
            )
            continue
        if found.relevant:
            # The relevant ones come first; what lies nearest besides is no hit.
            hits = found.hits.as_list()[: found.relevant]
            groups.append({"id": dataset["id"], "relevant": found.relevant, "hits": hits})
            seen.append(_seen(found, len(hits)))
    worths = worths_of(seen, [part.weight for part in query.parts])
    ordered = sorted(
        zip(worths, groups, strict=True), key=lambda each: (each[0], each[1]["relevant"]), reverse=True
    )
    return {"groups": [group for _, group in ordered], "skipped": skipped}


def without_captions(query: Query) -> Query:
    """The same query for somebody from whom captions are hidden: neither their words nor their vectors."""
    return Query(query.parts, "pictures", query.limit, query.offset, "meaning", query.filter)


def worths_of(seen: Sequence[Mapping[Space, Seen]], weights: Sequence[float]) -> list[float]:
    """What each dataset's best hit scores over all datasets; 0, as the mean does, where none has a vector."""
    of_spaces = {
        space: [each[space].moments for each in seen if space in each]
        for space in {space for each in seen for space in each}
    }
    over = {space: [pooled(part) for part in zip(*each, strict=True)] for space, each in of_spaces.items()}
    return [_best(each, over, weights) if each else 0.0 for each in seen]


def _best(
    seen: Mapping[Space, Seen], over: Mapping[Space, Sequence[Moments]], weights: Sequence[float]
) -> float:
    parts = [
        over_spaces(
            [
                standardise(of.cosines[:, number], of.present, over[space][number])
                for space, of in seen.items()
            ]
        )
        for number in range(len(weights))
    ]
    total = combine(parts, weights)
    known = total[~np.isnan(total)]
    return float(known.max()) if len(known) else 0.0


def _seen(found: engine.Answer, count: int) -> dict[Space, Seen]:
    """Of the first `count` hits."""
    rows = found.hits.rows[:count]
    seen: dict[Space, Seen] = {}
    for space, compared in found.compared.items():
        matrix, queries = compared.scan.matrix, compared.scan.queries
        seen[space] = Seen(cosines(matrix.vectors[rows], queries), matrix.present[rows], compared.moments)
    return seen
