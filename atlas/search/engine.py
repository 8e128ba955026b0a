"""The answer to a query: runs in the query worker, where the towers are warm."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import numpy as np
from django.core.cache import cache
from numpy.typing import NDArray

from atlas.datasets.models import Dataset
from atlas.maps import towers
from atlas.maps.models import Space, VectorSet
from atlas.maps.towers import Vectors
from atlas.maps.vectors import Matrix, open_matrix
from atlas.search.cut import relevance_cut
from atlas.search.query import Against, Part, Query
from atlas.search.scan import Scores, combine, cosines, over_spaces, standardise

SPACES: dict[Against, tuple[Space, ...]] = {
    "pictures": (Space.IMAGE,),
    "captions": (Space.CAPTION,),
    "both": (Space.IMAGE, Space.CAPTION),
}
#: The same for everybody who asks with the same words. Short: the weights behind a model's name may change.
VECTOR_SECONDS = 3600


class QueryError(Exception):
    """The query cannot be answered as it stands: a sentence for whoever asked."""


@dataclass(frozen=True)
class Answer:
    """The best records first.

    `relevant` of all records are above the cut; `hits` may be fewer, by the limit, or more.
    """

    hits: list[dict[str, Any]]
    relevant: int
    cut: float | None
    searched: int

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


def answer(dataset_id: UUID, row_count: int, query: Query) -> Answer:
    """Score the records [0, row_count) by every part.

    Raises QueryError for a part that cannot be scored, TowerError when the model cannot be used.
    """
    dataset = Dataset.objects.get(pk=dataset_id)
    matrices = _matrices(dataset_id, row_count, SPACES[query.against])
    if not matrices:
        return Answer([], 0, None, 0)
    parts = _part_scores(dataset, matrices, query.parts)
    total = combine(parts, [part.weight for part in query.parts])
    rows = np.flatnonzero(~np.isnan(total))
    if not len(rows):
        return Answer([], 0, None, 0)
    cut = relevance_cut(total[rows])
    best = _top(total, rows, query.limit)
    hits = [
        {
            "row": int(row),
            "score": round(float(total[row]), 4),
            "parts": [round(float(part[row]), 4) for part in parts],
        }
        for row in best
    ]
    return Answer(hits, int((total[rows] >= cut).sum()), round(cut, 4), len(rows))


def _top(scores: Scores, rows: NDArray[np.intp], limit: int) -> NDArray[np.intp]:
    """The rows with the highest scores, best first; equal scores in row order."""
    if limit < len(rows):
        rows = rows[np.argpartition(-scores[rows], limit - 1)[:limit]]
    return rows[np.lexsort((rows, -scores[rows]))]


def _matrices(dataset_id: UUID, row_count: int, spaces: tuple[Space, ...]) -> dict[Space, Matrix]:
    made = VectorSet.objects.filter(dataset_id=dataset_id, space__in=spaces).values_list("space", flat=True)
    return {Space(space): open_matrix(dataset_id, Space(space), row_count) for space in sorted(made)}


def _part_scores(dataset: Dataset, matrices: dict[Space, Matrix], parts: tuple[Part, ...]) -> list[Scores]:
    """Every part's standardised scores over the spaces: one pass over each matrix for all parts."""
    per_space: list[list[Scores]] = []
    for space, matrix in matrices.items():
        vectors = np.stack([_vector(dataset, part, space, matrices) for part in parts])
        raw = cosines(matrix.vectors, vectors)
        per_space.append([standardise(raw[:, number], matrix.present) for number in range(len(parts))])
    return [over_spaces([scores[number] for scores in per_space]) for number in range(len(parts))]


def _vector(dataset: Dataset, part: Part, space: Space, matrices: dict[Space, Matrix]) -> Vectors:
    if part.row is not None:
        return _vector_of_record(part.row, space, matrices)
    if dataset.vector_size:
        raise QueryError("This dataset came with its own vectors: it can be searched by its records only.")
    if part.text is not None:
        return _vector_of_text(dataset.model, part.text)
    picture = cache.get(part.picture)
    if picture is None:
        raise QueryError("The picture of the query is no longer here: send it again.")
    readable, vectors = towers.embed_pictures(dataset.model, [picture], lambda: None)
    if not len(readable):
        raise QueryError("The picture of the query cannot be read.")
    vector: Vectors = vectors[0]
    return vector


def _vector_of_record(row: int, space: Space, matrices: dict[Space, Matrix]) -> Vectors:
    """Its vector in this space, or in another where it has none here."""
    for matrix in [matrices[space], *matrices.values()]:
        if row < len(matrix.vectors) and matrix.vectors[row].any():
            vector: Vectors = matrix.vectors[row].astype(np.float32)
            return vector
    raise QueryError(f"Record {row} of the query has no vector.")


def _vector_of_text(model: str, text: str) -> Vectors:
    key = "query-vector:" + sha256(f"{model}\n{text}".encode(errors="surrogatepass")).hexdigest()
    vector: Vectors | None = cache.get(key)
    if vector is None:
        vector = towers.embed_query(model, text)
        cache.set(key, vector, VECTOR_SECONDS)
    return vector
