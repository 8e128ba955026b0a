"""The vector of every part of a query, in the space in which it is compared."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

import numpy as np
from django.core.cache import cache
from numpy.typing import NDArray

from atlas.datasets.filters import FilterError
from atlas.datasets.models import Dataset
from atlas.maps import towers
from atlas.maps.models import Space
from atlas.maps.selection import rows_matching
from atlas.maps.towers import Vectors
from atlas.maps.vectors import Matrix
from atlas.search.query import Part

#: The same for everybody who asks with the same words.
VECTOR_SECONDS = 3600
#: Records of a group that its mean is taken of, evenly from all: more would not move it.
MOST_OF_GROUP = 10_000

Rows = NDArray[np.intp]


class QueryError(Exception):
    """The query cannot be answered as it stands: a sentence for whoever asked."""


class NoVectorsError(QueryError):
    """There is nothing to compare with, or nothing that turns words into a vector: words still answer."""


def rows_of(dataset: Dataset, part: Part, row_count: int) -> Rows | None:
    """The records that a part is about; None of words, pictures and vectors. Raises QueryError."""
    if part.row is not None:
        return np.array([part.row])
    if part.group is None:
        return None
    try:
        return np.flatnonzero(rows_matching(dataset, part.group, row_count))
    except FilterError as error:
        raise QueryError(str(error)) from None


def vector_of(
    dataset: Dataset, part: Part, rows: Rows | None, space: Space, matrices: Mapping[Space, Matrix]
) -> Vectors:
    """(d,) of length 1. Raises QueryError, and TowerError when the model cannot be used.

    Args:
        part: none with a text that `vectors_of_texts` has.
        rows: as by `rows_of`.
    """
    if rows is not None:
        return _of_records(rows, space, matrices, _named(part))
    if part.vector is not None:
        return _of_length_one(part.vector, matrices[space].vectors.shape[1])
    if dataset.vector_size:
        raise NoVectorsError(
            "This dataset came with its own vectors: it can be searched by its records and by vectors only."
        )
    return vector_of_picture(dataset.model, part.picture)


def _of_length_one(vector: list[float], dimensions: int) -> Vectors:
    if len(vector) != dimensions:
        raise QueryError(
            f"A vector of the query has {len(vector):,} numbers; those of this dataset have {dimensions:,}."
        )
    given = np.array(vector, np.float64)
    given /= np.abs(given).max()  # the squares of numbers that float64 holds may be too small or too large
    found: Vectors = (given / np.linalg.norm(given)).astype(np.float32)
    return found


def vectors_of_texts(model: str, texts: Iterable[str]) -> dict[str, Vectors]:
    """(d,) of each, of length 1. Raises TowerError.

    Those that nobody asked for lately go through the tower together: that takes a quarter of the time.
    """
    weights = _weights(model)
    keys = {text: _key(b"text\n" + weights, text.encode(errors="surrogatepass")) for text in texts}
    known: dict[str, Vectors] = cache.get_many(keys.values())
    new = [text for text, key in keys.items() if key not in known]
    if new:
        vectors = towers.embed_queries(model, new)
        made = {keys[text]: vector for text, vector in zip(new, vectors, strict=True)}
        cache.set_many(made, VECTOR_SECONDS)
        known |= made
    return {text: known[key] for text, key in keys.items()}


def _weights(model: str) -> bytes:
    """Other ones may come under the same name."""
    return f"{model}\n{towers.revision(model)}\n".encode()


def _key(kind: bytes, content: bytes) -> str:
    return "query-vector:" + sha256(kind + content).hexdigest()


def vector_of_picture(model: str, parked: str | None) -> Vectors:
    """Of the picture that waits in the cache under this key."""
    picture = cache.get(parked)
    if picture is None:
        raise QueryError("The picture of the query is no longer here: send it again.")
    key = _key(b"picture\n" + _weights(model), picture)
    vector: Vectors | None = cache.get(key)
    if vector is None:
        readable, vectors, _ = towers.embed_pictures(model, [picture], lambda: None)
        if not len(readable):
            raise QueryError("The picture of the query cannot be read.")
        vector = vectors[0]
        cache.set(key, vector, VECTOR_SECONDS)
    return vector


def _named(part: Part) -> str:
    if part.group is None:
        return f"Record {part.row} of the query"
    kind = next((each for each in ("topic", "tag") if each in part.group), "group of records")
    return f"The {kind} of the query"


def _of_records(rows: Rows, space: Space, matrices: Mapping[Space, Matrix], name: str) -> Vectors:
    """The direction of their mean in this space, or in another where they have no vectors here."""
    here = matrices[space]
    for matrix in (here, *(each for each in matrices.values() if each.maker == here.maker)):
        known = rows[rows < len(matrix.vectors)]
        known = known[matrix.present[known]]
        known = known[:: max(1, len(known) // MOST_OF_GROUP)]
        mean: Vectors = matrix.vectors[known].astype(np.float32).sum(axis=0)
        if length := float(np.linalg.norm(mean)):
            mean /= length
            return mean
    raise QueryError(f"{name} has no vector.")
