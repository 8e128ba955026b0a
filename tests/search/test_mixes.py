"""Parts wanted and unwanted, pictures and words in one query, where the truth is known."""

import base64
from itertools import product
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from django.core.cache import cache
from numpy.typing import NDArray

from atlas.datasets.models import Dataset, Record
from atlas.maps.models import Space
from atlas.maps.vectors import Matrix
from atlas.search import engine
from atlas.search.cut import relevance_cut
from atlas.search.engine import Opened, meaning, opened
from atlas.search.passes import alone
from atlas.search.query import Part, Query
from atlas.search.scan import Scores, combine, moments, over_spaces, standardise
from atlas.search.vectors import QueryError, vector_of_picture, vectors_of_texts
from tests.maps.fake_towers import FakeModel
from tests.people import Cast
from tests.search.queries import COUNT, ask, colours_of, parts, red_picture

pytestmark = pytest.mark.django_db


def test_a_wanted_kind_without_one_of_its_members(cast: Cast, dataset: Dataset) -> None:
    """ "Red or blue", not "blue": as "red fruit" without "apple"."""
    both = ask(cast, dataset, parts({"text": "red"}, {"text": "blue"}, mode="meaning"))
    without = ask(
        cast,
        dataset,
        parts({"text": "red"}, {"text": "blue"}, {"text": "blue", "weight": -1}, mode="meaning"),
    )

    assert colours_of(both, 16) == {"red", "blue"}
    assert colours_of(without, 8) == {"red"}
    last = [hit["row"] for hit in without.json()["hits"]][8:]
    assert without.json()["relevant"] <= 8
    assert set(range(2, COUNT, 8)) <= set(last)


def test_a_picture_and_words_find_what_is_like_both(cast: Cast, dataset: Dataset) -> None:
    answer = ask(cast, dataset, parts({"picture": red_picture()}, {"text": "green"}, mode="meaning"))

    assert colours_of(answer, 16) == {"red", "green"}


def test_a_vector_of_the_towers_finds_what_the_words_do_that_it_was_made_of(
    cast: Cast, dataset: Dataset, fake_towers: FakeModel
) -> None:
    vector = fake_towers.encode_texts(["red"], task="search_query").vectors[0] * 3

    by_vector, by_words = (
        ask(cast, dataset, parts(part, {"row": 1, "weight": -1}, mode="meaning")).json()
        for part in ({"vector": vector.tolist()}, {"text": "red"})
    )

    assert [hit["row"] for hit in by_vector["hits"]] == [hit["row"] for hit in by_words["hits"]]
    scores = [[hit["parts"][0] for hit in found["hits"]] for found in (by_vector, by_words)]
    assert len(scores[0]) == COUNT
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)


def test_words_and_a_picture_rank_captions_and_pictures_side_by_side(dataset: Dataset) -> None:
    """Each part has the same scale in each space, whatever the gap between their cosines is."""
    query = Query((Part(1.0, text="red"), Part(1.0, row=1)), "both")
    found = alone(meaning(opened(dataset.pk, "both", COUNT), COUNT, query))

    for part in found.parts:
        assert np.abs(part.mean()) < 0.2
        assert 0.5 < part.std() <= 1.001
    captioned = Record.objects.filter(dataset=dataset).exclude(caption="").count()
    assert captioned == COUNT
    assert {Space.IMAGE, Space.CAPTION} == set(dataset.vector_sets.values_list("space", flat=True))


def test_no_record_of_the_query_counts_as_one_like_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of two that score the same; nor is one taken away twice that is asked with twice."""
    seen: list[NDArray[np.float32]] = []

    def cut(others: NDArray[np.float32]) -> float:
        seen.append(others)
        return 0.0

    monkeypatch.setattr(engine, "relevance_cut", cut)
    total = np.array([5, 1, 5, 2, np.nan], np.float32)
    ordered = np.sort(total[~np.isnan(total)])
    for rows, left in (([0, 2], [1, 2]), ([0, 0], [1, 2, 5]), ([3, 4], [1, 5, 5])):
        parts = tuple(Part(1.0, row=row) for row in rows)
        engine._cut(total, ordered, engine._wanted(parts, [np.array([row]) for row in rows]))

        assert seen.pop().tolist() == left


def test_the_record_of_the_query_does_not_hide_what_is_like_it(dataset: Dataset) -> None:
    """How far it is above all others says nothing of where they end."""
    found = alone(
        meaning(opened(dataset.pk, "both", COUNT), COUNT, Query((Part(1.0, row=1),), "both", mode="meaning"))
    )

    others = np.delete(found.total, 1)

    assert found.total[1] == found.total.max()
    assert found.cut == relevance_cut(np.sort(others))
    assert (others >= found.cut).any()


@pytest.mark.parametrize("rows", [[3], [3, 17], [3, 17, 31, 40]])
def test_a_few_records_do_not_hide_what_is_like_them(dataset: Dataset, rows: list[int]) -> None:
    """Being in the mean themselves, they score above all others of their kind, the first fifty."""
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(40, 256)).repeat(50, axis=0) + 1.5 * rng.normal(size=(2000, 256))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    matrix = Matrix(vectors, np.arange(2000, dtype=np.uint32), Path("kinds"))
    query = Query((Part(1.0, group={"rows": rows}),), "pictures", mode="meaning")

    found = alone(meaning(Opened(dataset, {Space.IMAGE: matrix}), 2000, query))

    others = np.setdiff1d(np.flatnonzero(found.total >= found.cut), rows)
    assert len(others) > 10
    assert np.mean(others < 50) > 0.9


# A world of things in colours and at times: a record's vector is the sum of what it shows and something of
# its own. Captions and pictures lie in different places, as towers leave them; a query of words is nearer to
# captions.

THINGS = ("apple", "cherry", "pear", "car", "house", "tree", "dog", "lamp")
COLOURS = ("red", "green", "blue", "white")
TIMES = ("day", "night")
FRUIT = THINGS[:3]
WORLD = list(product(THINGS, COLOURS, TIMES)) * 10
_rng = np.random.default_rng(8)
_NOTIONS = dict(
    zip((*THINGS, *COLOURS, *TIMES, "fruit", "picture", "words"), _rng.normal(size=(17, 64)), strict=True)
)


def vector_of(*notions: str, noise: float = 0) -> NDArray[np.float64]:
    """What each fruit is shows in the vector of every fruit."""
    shown = (*notions, *("fruit" for each in notions if each in FRUIT))
    vector: NDArray[np.float64] = sum(_NOTIONS[each] for each in shown) + noise * _rng.normal(size=64)
    return vector / np.linalg.norm(vector)


SPACES = [
    np.array([vector_of(*shown, place, place, noise=1) for shown in WORLD]) for place in ("picture", "words")
]


def part(query: NDArray[np.float64]) -> Scores:
    everywhere = np.ones(len(WORLD), np.bool_)
    cosines = [(space @ query).astype(np.float32) for space in SPACES]
    return over_spaces([standardise(each, everywhere, moments(each, everywhere)) for each in cosines])


def places_of(total: Scores, wanted: set[tuple[str, str, str]]) -> NDArray[np.intp]:
    """The places of the records that show one of these, from 0."""
    order = np.argsort(-total)
    return np.flatnonzero([WORLD[row] in wanted for row in order])


def shown_first(total: Scores, count: int) -> list[tuple[str, str, str]]:
    return [WORLD[row] for row in np.argsort(-total)[:count]]


def test_red_fruit_without_apples() -> None:
    red_fruit, apple = (
        part(vector_of("red", "fruit", "words")),
        part(vector_of("apple", "words")),
    )
    wanted = {("red", thing) for thing in ("cherry", "pear")}

    before, after = shown_first(red_fruit, 40), shown_first(combine([red_fruit, apple], [1, -1]), 40)

    assert sum(thing == "apple" for thing, _, _ in before) > 5
    assert sum(thing == "apple" for thing, _, _ in after) == 0
    right = [np.mean([(colour, thing) in wanted for thing, colour, _ in found]) for found in (before, after)]
    assert 0.6 < right[0] < right[1]


def test_a_picture_and_at_night() -> None:
    house, night = (
        part(vector_of("house", "white", "day", "picture")),
        part(vector_of("night", "words")),
    )
    wanted = {("house", "white", "night")}

    alone, both, without = (
        places_of(total, wanted).mean()
        for total in (house, combine([house, night], [1, 1]), combine([house, night], [1, -1]))
    )

    assert both < 15
    assert both < alone < without


def test_what_is_taken_away_is_no_hit_and_what_is_left_is() -> None:
    red, night = part(vector_of("red", "words")), part(vector_of("night", "words"))

    total = combine([red, night], [1, -1])
    hits = [WORLD[row] for row in np.flatnonzero(total >= relevance_cut(np.sort(total)))]

    assert hits
    assert all(colour == "red" for _, colour, _ in hits)
    assert np.mean([time == "day" for *_, time in hits]) > 0.9


def test_a_picture_is_never_taken_for_the_text_of_its_bytes() -> None:
    vectors_of_texts("mini", ["red"])
    cache.set("parked", b"red", 60)

    with pytest.raises(QueryError, match="cannot be read"):
        vector_of_picture("mini", "parked")


def test_other_weights_of_the_same_name_make_other_vectors(fake_towers: FakeModel) -> None:
    cache.set("parked", base64.b64decode(red_picture()), 60)
    word = f"red {uuid4()}"
    for revision in (str(uuid4()), str(uuid4())):
        fake_towers.revision, fake_towers.embedded = revision, 0
        for _ in range(2):
            vectors_of_texts("mini", [word])
            vector_of_picture("mini", "parked")
        assert fake_towers.embedded == 2


def test_a_text_is_embedded_once_alone_or_with_others(fake_towers: FakeModel) -> None:
    red, blue, green = (f"{colour} {uuid4()}" for colour in ("red", "blue", "green"))

    one = vectors_of_texts("mini", [red])
    three = vectors_of_texts("mini", [red, blue, green])

    assert (three[red] == one[red]).all()
    assert not (three[blue] == three[green]).all()
    assert fake_towers.embedded == 3
