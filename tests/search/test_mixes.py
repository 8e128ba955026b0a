"""Parts wanted and unwanted, pictures and words in one query, where the truth is known."""

import numpy as np
import pytest

from atlas.datasets.models import Dataset, Record
from atlas.maps.models import Space
from atlas.search.engine import meaning, opened
from atlas.search.passes import alone
from atlas.search.query import Part, Query
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
