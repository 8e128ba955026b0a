"""What a map adds to an export: places, topics, vectors; and that it is of this dataset."""

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from pytest_django import DjangoDbBlocker

from atlas.datasets.models import Dataset, Visibility
from atlas.maps import export_api
from atlas.maps.models import DataMap, Space, Topic
from atlas.maps.places import places_of
from atlas.maps.vectors import open_matrix
from atlas.teams.links import create_link
from tests.callers import opened
from tests.maps.records import make_dataset
from tests.people import client_of, content_of
from tests.world import COUNT, World, small_world

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with django_db_blocker.unblock(), small_world(tmp_path_factory.mktemp("home")) as world:
        yield world


@pytest.fixture(autouse=True)
def home() -> None:
    """The folder is that of the world."""


def ask(world: World, **body: Any) -> Any:
    client = client_of(world.cast.alice)
    return client.post(f"/api/datasets/{world.dataset.pk}/export", body, content_type="application/json")


def test_places_and_topics_of_a_map_stand_beside_each_record(world: World) -> None:
    version = world.map.current
    assert version is not None
    Topic.objects.filter(version=version).update(name="things")
    lines = content_of(ask(world, format="jsonl", map=str(world.map.pk))).decode().splitlines()
    places = places_of(version.folder, range(COUNT))
    with np.load(version.folder / "topics.npz") as arrays:
        levels = dict(zip(arrays["rows"].tolist(), arrays["ids"].T.tolist(), strict=True))
    known = set(Topic.objects.filter(version=version).values_list("level", "number"))
    assert known
    for row, record in enumerate(map(json.loads, lines)):
        assert record["x"] == pytest.approx(places[row].x)
        assert record["y"] == pytest.approx(places[row].y)
        in_topics = [number for level, number in enumerate(levels[row]) if (level, number) in known]
        assert record["topics"] == ["things"] * len(in_topics)


def test_a_region_of_the_map_chooses(world: World) -> None:
    region = {"map": str(world.map.pk), "region": [[-1, -1], [2, -1], [2, 2], [-1, 2]]}
    assert len(content_of(ask(world, format="jsonl", filter=region)).splitlines()) == COUNT


@pytest.mark.parametrize("space", [Space.IMAGE, Space.CAPTION])
def test_vectors_come_in_parquet(world: World, space: Space) -> None:
    table = pq.read_table(io.BytesIO(content_of(ask(world, format="parquet", vectors=space))))
    vectors = np.array(table[f"{space}_vector"].to_pylist(), np.float32)
    expected = open_matrix(world.dataset.pk, space, COUNT).vectors.astype(np.float32)
    np.testing.assert_array_equal(vectors, expected)


def test_the_map_of_another_dataset_is_refused(world: World) -> None:
    other = make_dataset(world.cast.team)
    mine = DataMap.objects.create(dataset=other, space="image", current=world.map.current)
    assert ask(world, format="jsonl", map=str(mine.pk)).status_code in (404, 422)
    response = client_of(world.cast.alice).post(
        f"/api/datasets/{other.pk}/export",
        {"format": "jsonl", "map": str(world.map.pk)},
        content_type="application/json",
    )
    assert response.status_code == 422


def test_vectors_of_hidden_captions_stay_here(world: World) -> None:
    Dataset.objects.filter(pk=world.dataset.pk).update(visibility=Visibility.LINK)
    visitor = opened(create_link(world.dataset.pk, world.cast.alice, hide_captions=True))
    for space, status in (("image", 200), ("caption", 422)):
        response = visitor.post(
            f"/api/datasets/{world.dataset.pk}/export",
            {"format": "parquet", "vectors": space},
            content_type="application/json",
        )
        assert response.status_code == status


def test_topics_have_the_names_that_editors_gave_and_no_words_of_hidden_captions(world: World) -> None:
    version = world.map.current
    assert version is not None
    Topic.objects.filter(version=version).update(name="red thing")
    first = Topic.objects.filter(version=version).order_by("number").first()
    assert first is not None
    Topic.objects.filter(pk=first.pk).update(given_name="Ours")
    Dataset.objects.filter(pk=world.dataset.pk).update(visibility=Visibility.LINK)
    visitor = opened(create_link(world.dataset.pk, world.cast.alice, hide_captions=True))

    shown = content_of(ask(world, format="jsonl", map=str(world.map.pk)))
    answer: Any = visitor.post(
        f"/api/datasets/{world.dataset.pk}/export",
        {"format": "jsonl", "map": str(world.map.pk)},
        content_type="application/json",
    )
    hidden = content_of(answer)

    assert b"Ours" in shown
    assert b"Ours" in hidden
    assert b"red thing" not in hidden


def test_somebody_in_a_hurry_is_told_to_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_api, "MOST_IN_A_MINUTE", 0)

    response = ask(world, format="csv")

    assert response.status_code == 429
    assert int(response["Retry-After"]) >= 1
