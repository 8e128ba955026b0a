"""The answer to a query: runs in the query worker, where the towers are warm."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from atlas.datasets.filters import FilterError, existing_rows
from atlas.datasets.models import Dataset
from atlas.maps import towers
from atlas.maps.access import WithdrawnError, reading
from atlas.maps.models import MapVersion, Space, VectorSet
from atlas.maps.selection import rows_matching
from atlas.maps.towers import TowerError, Vectors
from atlas.maps.vectors import Matrix, maker_name, open_matrices
from atlas.search.cut import relevance_cut
from atlas.search.fuse import NO_MATCHES, Matches, as_glow, best_rows, histogram, sure_rows, top
from atlas.search.passes import Scan, Texts, Work, alone
from atlas.search.query import Against, Mode, Part, Query
from atlas.search.scan import Moments, Scores, combine, moments, over_spaces, standardise
from atlas.search.vectors import NoVectorsError, QueryError, Rows, rows_of, vector_of
from atlas.search.words import TooLongError, find_words

SPACES: dict[Against, tuple[Space, ...]] = {
    "pictures": (Space.IMAGE,),
    "captions": (Space.CAPTION,),
    "both": (Space.IMAGE, Space.CAPTION),
}
#: (N,) the rows that may be hits; None: all.
Allowed = NDArray[np.bool_] | None
#: A dataset and what is known of it, for those who ask at the same time.
Opener: TypeAlias = "Callable[[UUID, Against, int], Opened]"
#: So many of the best by meaning say where on a map the query itself would be.
NEAREST = 10
#: How long words may be looked up, alone and beside the meaning: whoever waits for both does not wait longer.
WORDS_SECONDS, WORDS_BESIDE_SECONDS = 5.0, 1.5


@dataclass(frozen=True)
class Opened:
    dataset: Dataset
    #: Of the spaces that have vectors.
    matrices: Mapping[Space, Matrix]
    #: The spaces whose vectors have to be made anew.
    missing: frozenset[Space] = frozenset()


@dataclass(frozen=True)
class Compared:
    """The parts of a query in one space of a dataset."""

    scan: Scan
    #: Of each part's cosines with all records.
    moments: list[Moments]


@dataclass(frozen=True)
class Meaning:
    """What the vectors say: (N,) standardised scores by row, NaN without a vector; in all and by part."""

    total: Scores
    parts: list[Scores]
    #: The numbers of `total`, ascending.
    ordered: Scores
    cut: float
    #: As of `Opened`.
    missing: frozenset[Space] = frozenset()
    compared: Mapping[Space, Compared] = field(default_factory=dict)


class Hits(NamedTuple):
    """The best records first, in columns."""

    rows: NDArray[np.intp]
    #: (H,) of length 1 deviation over the dataset; 0 without a vector.
    scores: NDArray[np.float64]
    #: (H, P) of every part of the query; none of a search by words.
    parts: NDArray[np.float64]
    #: (H,) the place among the hits by words, from 1; 0 for none.
    words: NDArray[np.intp]
    #: (H,) whether its words alone make it relevant.
    sure: NDArray[np.bool_]

    def as_list(self) -> list[dict[str, Any]]:
        columns = (each.tolist() for each in (self.rows, self.scores, self.parts, self.words, self.sure))
        return [
            {"row": row, "score": score, "parts": parts, "words": place or None, "sure": sure}
            for row, score, parts, place, sure in zip(*columns, strict=True)
        ]


@dataclass(frozen=True)
class Answer:
    """`relevant` of all records are, whether they are among `hits` or not.

    `searched` records were looked at; `nearest` are those that lie nearest to the query, by meaning.
    `without` is what could not be compared for now, of both; `compared` is what could.
    """

    hits: Hits
    relevant: int
    cut: float | None
    searched: int
    mode: Mode
    away: bool = False
    without: Against | None = None
    histogram: dict[str, Any] | None = None
    nearest: NDArray[np.intp] = field(default_factory=lambda: NO_MATCHES.rows)
    compared: Mapping[Space, Compared] = field(default_factory=dict)


def opened(dataset_id: UUID, against: Against, row_count: int) -> Opened:
    """Raises Dataset.DoesNotExist, NoVectorsError."""
    matrices = open_matrices(dataset_id, SPACES[against], row_count)
    anew = VectorSet.objects.filter(dataset_id=dataset_id, complete=False).values_list("space", flat=True)
    missing = frozenset(map(Space, anew))
    if not matrices and missing:
        raise NoVectorsError(
            "The vectors of this dataset are being made anew: until then only its words can be searched."
        )
    return Opened(Dataset.objects.get(pk=dataset_id), matrices, missing.intersection(SPACES[against]))


def answer(dataset_id: UUID, row_count: int, query: Query) -> Answer:
    """Rank the records [0, row_count) by meaning and by words.

    Raises QueryError for what cannot be asked, TowerError when the model cannot be used and no words help.
    """
    return alone(answering(dataset_id, row_count, query))


def answering(dataset_id: UUID, row_count: int, query: Query, open_: Opener = opened) -> Work[Answer]:
    """The same, its scans left to whoever runs it."""
    if query.mode == "words":
        return answer_by_words(dataset_id, row_count, query)
    try:
        at_hand = open_(dataset_id, query.against, row_count)
        found = yield from meaning(at_hand, row_count, query)
    except (TowerError, NoVectorsError) as error:
        if query.mode == "meaning" or not query.wanted_words:
            raise
        return answer_by_words(dataset_id, row_count, query, away=isinstance(error, TowerError))
    allowed = _allowed(at_hand.dataset, row_count, query)
    words = NO_MATCHES
    mode: Mode = "meaning"
    if query.mode == "best" and query.wanted_words:
        with suppress(TooLongError):  # meaning has answered
            words = _words(dataset_id, row_count, query, allowed, WORDS_BESIDE_SECONDS)
            mode = "best"
    # Without a vector a record can be found by its words only.
    searched = _count(at_hand.dataset, row_count, allowed) if len(words.rows) else None
    return _fused(found, allowed, words, query, mode, searched)


def answer_by_words(dataset_id: UUID, row_count: int, query: Query, *, away: bool = False) -> Answer:
    """The same by Postgres alone, for any process. Raises QueryError."""
    if not query.wanted_words:
        raise QueryError("A search by words needs words.")
    dataset = Dataset.objects.get(pk=dataset_id)
    allowed = _allowed(dataset, row_count, query)
    try:
        words = _words(dataset_id, row_count, query, allowed, WORDS_SECONDS)
    except TooLongError:
        raise QueryError(
            "To look these words up takes too long: use fewer, or ones that are rarer."
        ) from None
    page = slice(query.offset, query.offset + query.limit)
    rows = words.rows[page]
    hits = Hits(rows, np.zeros(len(rows)), np.zeros((len(rows), 0)), words.places[page], words.whole[page])
    return Answer(hits, words.whole_count, None, _count(dataset, row_count, allowed), "words", away)


def glow(dataset_id: UUID, version_id: UUID, query: Query) -> bytes:
    """A byte for each point of a map version, see `as_glow`.

    Raises QueryError, TowerError, WithdrawnError.
    """
    versions = MapVersion.objects.select_related("map", "build")
    version = versions.filter(pk=version_id, map__dataset=dataset_id).first()
    if version is None:
        raise WithdrawnError
    row_count = version.build.row_count
    at_hand = opened(dataset_id, query.against, row_count)
    found = alone(meaning(at_hand, row_count, query))
    allowed = _allowed(at_hand.dataset, row_count, query)
    seen = found.total if allowed is None else np.where(allowed, found.total, np.nan)
    by_row = as_glow(seen, found.cut)
    with reading(version_id):
        rows = np.fromfile(version.folder / "rows.bin", "<u4")
    return bytes(by_row[rows].tobytes())


def meaning(at_hand: Opened, row_count: int, query: Query) -> Work[Meaning]:
    """Every record's scores by its vectors. The cut is that of the whole dataset: a filter moves it not."""
    if not at_hand.matrices:
        nothing = np.full(row_count, np.nan, np.float32)
        return Meaning(nothing, [nothing] * len(query.parts), nothing[:0], np.inf)
    rows = [rows_of(at_hand.dataset, part, row_count) for part in query.parts]
    if not at_hand.dataset.vector_size and any(each is None for each in rows):
        at_hand = _made_by_the_present(at_hand)
    parts, compared = yield from _part_scores(at_hand, query.parts, rows)
    total = combine(parts, [part.weight for part in query.parts])
    # Sorted once: the cut, the histogram, ranks and the best all follow from it.
    ordered = _ascending(total)
    cut = _cut(total, ordered, _wanted(query.parts, rows))
    return Meaning(total, parts, ordered, cut, at_hand.missing, compared)


def _made_by_the_present(at_hand: Opened) -> Opened:
    """Only the spaces that words and pictures can be compared with. Raises NoVectorsError."""
    model = at_hand.dataset.model
    maker = maker_name(model, towers.revision(model))
    matrices = {space: matrix for space, matrix in at_hand.matrices.items() if matrix.maker == maker}
    if not matrices:
        raise NoVectorsError(
            "The vectors of this dataset were made by other weights: its maps have to be built anew before"
            " words and pictures can be compared with them."
        )
    others = at_hand.matrices.keys() - matrices.keys()
    return replace(at_hand, matrices=matrices, missing=at_hand.missing | others)


def _wanted(parts: tuple[Part, ...], rows: list[Rows | None]) -> Rows:
    """The records that the wanted parts are about, each once."""
    wanted = [each for part, each in zip(parts, rows, strict=True) if each is not None and part.weight > 0]
    return np.unique(np.concatenate(wanted)) if wanted else NO_MATCHES.rows


def _cut(total: Scores, ordered: Scores, rows: Rows) -> float:
    """Where the hits end. How much a record is like itself, or like the mean that it is a part of, says
    nothing of how much others are."""
    others = ordered
    if len(rows):
        asked = np.sort(total[rows])
        asked = asked[~np.isnan(asked)]
        # Of equal ones each takes away another.
        nth = np.arange(len(asked)) - np.searchsorted(asked, asked)
        others = np.delete(ordered, np.searchsorted(ordered, asked) + nth)
    if len(others):
        return relevance_cut(others)
    return float(ordered[0]) if len(ordered) else np.inf


def _fused(
    found: Meaning, allowed: Allowed, words: Matches, query: Query, mode: Mode, searched: int | None
) -> Answer:
    """searched: None of those with a score."""
    seen, ordered = found.total, found.ordered
    if allowed is not None:
        seen = np.where(allowed, seen, np.float32(np.nan))
        ordered = _ascending(seen)
    rows, relevant = best_rows(
        seen, ordered, words, query.share_of_words, found.cut, query.offset + query.limit
    )
    shown = rows[query.offset :]
    parts = np.stack([part[shown] for part in found.parts], axis=1)
    sure = np.zeros(len(seen), np.bool_)
    sure[sure_rows(words, query.share_of_words)] = True
    places = _places(words, len(seen))
    hits = Hits(shown, _shown(found.total[shown]), _shown(parts), places[shown], sure[shown])
    return Answer(
        hits,
        relevant,
        round(found.cut, 4) if np.isfinite(found.cut) else None,
        len(ordered) if searched is None else searched,
        mode,
        without=next((name for name, spaces in SPACES.items() if found.missing == {*spaces}), None),
        histogram=histogram(ordered),
        nearest=top(seen, ordered, NEAREST),
        compared=found.compared,
    )


def _ascending(scores: Scores) -> Scores:
    """Without those that are NaN: they come last, and the first of them is found faster than all."""
    ordered = np.sort(scores)
    return ordered[: np.searchsorted(ordered, np.float32(np.nan))]


def _places(words: Matches, row_count: int) -> NDArray[np.intp]:
    """(row_count,) each row's place in the list, from 1; 0 for those not in it."""
    places = np.zeros(row_count, np.intp)
    places[words.rows] = words.places
    return places


def _shown(scores: Scores) -> NDArray[np.float64]:
    """A hit by its words may have no vector: JSON knows no NaN, and the mean says as little."""
    return np.nan_to_num(scores.astype(np.float64), nan=0).round(4)


def _allowed(dataset: Dataset, row_count: int, query: Query) -> Allowed:
    if query.filter is None:
        return None
    try:
        return rows_matching(dataset, query.filter, row_count)
    except FilterError as error:
        raise QueryError(str(error)) from None


def _count(dataset: Dataset, row_count: int, allowed: Allowed) -> int:
    return int((existing_rows(dataset, row_count) if allowed is None else allowed).sum())


def _words(dataset_id: UUID, row_count: int, query: Query, allowed: Allowed, seconds: float) -> Matches:
    """The allowed rows that have the wanted words. Raises TooLongError."""
    wanted, unwanted = query.wanted_words, query.unwanted_words
    return find_words(dataset_id, row_count, wanted, unwanted, allowed, seconds=seconds)


def _part_scores(
    at_hand: Opened, parts: tuple[Part, ...], rows: list[Rows | None]
) -> Work[tuple[list[Scores], dict[Space, Compared]]]:
    """Every part's standardised scores over the spaces: one pass over each matrix for all parts."""
    texts = yield from _vectors_of_texts(at_hand.dataset, parts)
    per_space: list[list[Scores]] = []
    compared: dict[Space, Compared] = {}
    for space, matrix in at_hand.matrices.items():
        vectors = [
            texts[part.text]
            if part.text in texts
            else vector_of(at_hand.dataset, part, of, space, at_hand.matrices)
            for part, of in zip(parts, rows, strict=True)
        ]
        scan = Scan(matrix, np.stack(vectors))
        raw: Scores = yield scan
        over = [moments(scores, matrix.present) for scores in raw.T]
        per_space.append(
            [standardise(scores, matrix.present, each) for scores, each in zip(raw.T, over, strict=True)]
        )
        compared[space] = Compared(scan, over)
    return [over_spaces([scores[number] for scores in per_space]) for number in range(len(parts))], compared


def _vectors_of_texts(dataset: Dataset, parts: tuple[Part, ...]) -> Work[dict[str, Vectors]]:
    wanted = {part.text for part in parts if part.text is not None}
    if dataset.vector_size or not wanted:
        return {}
    found: dict[str, Vectors] = yield Texts(dataset.model, frozenset(wanted))
    return found
