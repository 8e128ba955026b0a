"""Removed records are found by no search: neither while their points are still on the map nor after."""

from collections.abc import Iterator

import numpy as np
import pytest
from pytest_django import DjangoDbBlocker

from atlas.datasets.models import Dataset
from atlas.datasets.remove import remove_records
from atlas.maps import vectors
from atlas.maps.models import Build, DataMap, Space, VectorSet
from atlas.search.nearest import nearest
from atlas.teams.asker import Asker
from tests.maps.building import make_maps, work_off
from tests.maps.records import add_records, make_dataset
from tests.maps.shared_world import shared_cast
from tests.people import Cast, client_of
from tests.search.queries import COUNT, World, ask, parts, post

pytestmark = pytest.mark.django_db

#: Of the red things, every eighth.
GONE = (0, 8, 16)
LEFT = set(range(0, COUNT, 8)) - {*GONE}


@pytest.fixture(scope="module", params=["before the build", "after it"])
def world(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    with shared_cast(django_db_blocker, tmp_path_factory) as cast:
        dataset = make_dataset(cast.team)
        add_records(dataset, COUNT, pictures=True, captions=True)
        make_maps(dataset.pk)
        mask = np.zeros(COUNT, bool)
        mask[list(GONE)] = True
        remove_records(dataset.pk, mask, Asker(cast.alice))
        if request.param == "after it":
            work_off(Build.objects.filter(dataset=dataset).latest("created_at"))
        dataset.refresh_from_db()
        yield World(cast, dataset)


@pytest.mark.parametrize("mode", ["best", "meaning", "words"])
@pytest.mark.parametrize("content", [None, {"not": {"rows": [1]}}])
def test_neither_by_meaning_nor_by_words(
    cast: Cast, dataset: Dataset, mode: str, content: dict[str, object] | None
) -> None:
    answer = ask(cast, dataset, parts({"text": "red"}, mode=mode, limit=100, filter=content)).json()

    rows = {hit["row"] for hit in answer["hits"]}
    assert not rows & {*GONE}
    assert rows >= LEFT
    assert answer["searched"] == COUNT - len(GONE) - (content is not None)


def test_not_across_datasets(cast: Cast, dataset: Dataset) -> None:
    [group] = post(cast, "/api/search", parts({"text": "red"})).json()["groups"]
    assert {hit["row"] for hit in group["hits"]} <= LEFT


@pytest.mark.parametrize("space", Space)
def test_not_as_a_neighbour(dataset: Dataset, space: Space) -> None:
    scanned = nearest(dataset.pk, space, 24, COUNT, COUNT)
    by_postgres = vectors.neighbours(dataset.pk, space, 24, COUNT, COUNT)
    for found in (scanned, by_postgres):
        assert {row for row, _ in found} == set(range(COUNT)) - {24, *GONE}


def test_it_has_no_neighbours(cast: Cast, dataset: Dataset) -> None:
    shown = DataMap.objects.get(dataset=dataset, space=Space.IMAGE)
    address = f"/api/maps/{shown.pk}/records/{GONE[0]}/neighbours"
    assert client_of(cast.alice).get(address).status_code == 404


def test_it_does_not_glow(cast: Cast, dataset: Dataset) -> None:
    version = DataMap.objects.select_related("current__map").get(dataset=dataset, space="joint").current
    assert version is not None
    answer = post(cast, f"/api/maps/{version.map_id}/glow", parts({"text": "red"}))
    glow = np.frombuffer(answer.content, np.uint8)
    rows = np.fromfile(version.folder / "rows.bin", "<u4")
    assert not glow[np.isin(rows, GONE)].any()
    assert set(rows[glow >= 128]) == LEFT


def test_a_query_by_it_gets_a_sentence(cast: Cast, dataset: Dataset) -> None:
    answer = ask(cast, dataset, parts({"row": GONE[0]}))
    assert answer.status_code == 422
    assert answer.json()["detail"] == "Record 0 of the query has no vector."


def test_a_query_by_its_group_is_one_by_the_rest(cast: Cast, dataset: Dataset) -> None:
    with_it = ask(cast, dataset, parts({"filter": {"rows": [*GONE, 24]}})).json()["hits"]
    alone = ask(cast, dataset, parts({"filter": {"rows": [24]}})).json()["hits"]
    assert [hit["row"] for hit in with_it] == [hit["row"] for hit in alone]


def test_words_find_when_no_picture_is_left(cast: Cast, dataset: Dataset) -> None:
    """A space whose last vector went is like none."""
    vectors.remove(dataset.pk, np.arange(COUNT))
    assert VectorSet.objects.filter(dataset=dataset).exists()
    answer = ask(cast, dataset, parts({"text": "red"}, mode="best"))
    assert answer.status_code == 200
    assert {hit["row"] for hit in answer.json()["hits"]} == LEFT
