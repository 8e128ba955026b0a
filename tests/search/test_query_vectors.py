"""A part of a query that is a vector, of a dataset that came with its own, against numpy."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pytest_django import DjangoDbBlocker

from atlas.datasets.models import Dataset
from atlas.datasets.vectors import keep_vectors
from tests.maps.building import make_maps
from tests.maps.records import add_records, make_dataset
from tests.maps.shared_world import shared_cast
from tests.people import Cast
from tests.search.queries import COUNT, World, ask, parts, post

pytestmark = pytest.mark.django_db

SIZE = 6
GIVEN = np.random.default_rng(0).normal(size=(COUNT, SIZE)).astype(np.float32)
ASKED = [0.3, -2.0, 0.5, 1.0, 0.0, -0.7]


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """In place of the one of the towers: vectors that were uploaded, of all records but one."""
    with shared_cast(django_db_blocker, tmp_path_factory) as cast:
        dataset = make_dataset(cast.team)
        add_records(dataset, COUNT, captions=True)
        dataset.vector_size = SIZE
        dataset.save()
        keep_vectors(dataset, 0, [None if row == 3 else each for row, each in enumerate(GIVEN)])
        make_maps(dataset.pk)
        yield World(cast, dataset)


def standard(cosines: np.ndarray) -> np.ndarray:
    known = cosines[~np.isnan(cosines)]
    return np.asarray((cosines - known.mean()) / known.std())


def cosines(vector: list[float]) -> np.ndarray:
    found = GIVEN @ np.array(vector) / np.linalg.norm(GIVEN, axis=1) / np.linalg.norm(vector)
    return np.where(np.arange(COUNT) == 3, np.nan, found)


def scores(answer: Any) -> dict[int, float]:
    assert answer.status_code == 200, answer.content
    return {hit["row"]: hit["score"] for hit in answer.json()["hits"]}


@pytest.mark.parametrize("times", [1, 1e-300, 1e300])
def test_records_come_in_the_order_of_their_cosines_with_it(
    cast: Cast, dataset: Dataset, times: float
) -> None:
    answer = ask(cast, dataset, parts({"vector": [each * times for each in ASKED]}))

    expected = standard(cosines(ASKED))
    assert list(scores(answer)) == np.argsort(-expected)[: COUNT - 1].tolist()
    for row, score in scores(answer).items():
        assert score == pytest.approx(expected[row], abs=0.01)  # vectors are kept in half precision
    assert answer.json()["searched"] == COUNT - 1
    assert answer.json()["marker"]


def test_it_is_weighed_against_other_parts(cast: Cast, dataset: Dataset) -> None:
    other = [1.0, 0, 0, 0, 0, 1]
    answer = ask(cast, dataset, parts({"vector": ASKED}, {"vector": other, "weight": -2}, {"row": 9}))

    wanted = standard(cosines(ASKED)) + standard(cosines(GIVEN[9].tolist()))
    expected = (wanted - 2 * np.maximum(standard(cosines(other)), 0)) / np.sqrt(6)
    assert list(scores(answer))[:20] == np.argsort(-expected)[:20].tolist()


def test_the_vector_of_a_record_finds_the_record(cast: Cast, dataset: Dataset) -> None:
    for row in (0, 40):
        assert next(iter(scores(ask(cast, dataset, parts({"vector": GIVEN[row].tolist()}))))) == row


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        ([1.0] * (SIZE - 1), "has 5 numbers; those of this dataset have 6"),
        ([1.0] * (SIZE + 1), "has 7 numbers; those of this dataset have 6"),
        ([0.0] * SIZE, "zeros"),
        ([], "at least 1"),
        ([1.0] * 16_001, "at most 16000"),
        ([1.0] * 5 + [None], "number"),
        ([1.0] * 5 + ["x"], "number"),
        ([1.0] * 5 + [float("nan")], "finite"),
        ([1.0] * 5 + [float("inf")], "finite"),
    ],
)
def test_what_is_no_vector_of_the_dataset_is_refused_in_words(
    cast: Cast, dataset: Dataset, vector: list[Any], said: str
) -> None:
    answer = ask(cast, dataset, parts({"vector": vector}))

    assert answer.status_code == 422
    assert said in str(answer.json()["detail"])


def test_a_query_has_a_few_vectors_at_most(cast: Cast, dataset: Dataset) -> None:
    part = {"vector": ASKED}
    assert ask(cast, dataset, parts(*[part] * 4)).status_code == 200
    assert ask(cast, dataset, parts(*[part] * 5)).status_code == 422
    assert ask(cast, dataset, parts({**part, "row": 1})).status_code == 422


def test_it_is_of_one_dataset(cast: Cast) -> None:
    answer = post(cast, "/api/search", parts({"vector": ASKED}))

    assert answer.status_code == 422
    assert "of one dataset" in str(answer.json()["detail"])


def test_words_still_have_no_vector_here(cast: Cast, dataset: Dataset) -> None:
    refused = ask(cast, dataset, parts({"text": "red"}, {"vector": ASKED}, mode="meaning"))

    assert refused.status_code == 422
    assert "its own vectors" in refused.json()["detail"]


def test_only_the_team_may_search_a_private_dataset_with_it(cast: Cast, dataset: Dataset) -> None:
    assert [ask(cast, dataset, parts({"vector": ASKED}), name).status_code for name in ("victor", None)] == [
        200, 404,
    ]  # fmt: skip
