"""POST /api/datasets/{id}/search, asked by the whole cast."""

import base64
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.core.cache import cache

from atlas.datasets.models import Dataset, State, Visibility
from atlas.maps.models import Build, DataMap, MapVersion, VectorSet
from atlas.maps.places import positions
from atlas.search import api, asking, body, engine, tasks
from atlas.search.remote import SECONDS
from tests.maps.fake_towers import FakeModel
from tests.maps.records import make_dataset
from tests.people import Cast, client_of
from tests.search.queries import COUNT, ask, colours_of, parts, post, red_picture

pytestmark = pytest.mark.django_db


def test_words_find_the_records_that_are_about_them(cast: Cast, dataset: Dataset) -> None:
    answer = ask(cast, dataset, parts({"text": "red"}))

    assert answer.status_code == 200
    assert colours_of(answer, 8) == {"red"}
    assert answer.json()["relevant"] == 8
    assert answer.json()["searched"] == COUNT


def test_a_hit_says_where_it_is_on_the_map_asked_for(cast: Cast, dataset: Dataset) -> None:
    data_map = DataMap.objects.get(dataset=dataset, space="caption")

    hit = ask(cast, dataset, parts({"text": "red"}, map=str(data_map.pk))).json()["hits"][0]

    record = client_of(cast.alice).get(f"/api/maps/{data_map.pk}/records/{hit['row']}").json()
    assert hit["ordinal"] == record["ordinal"]
    # Both are told exactly, each in its own number of digits.
    assert [np.float32(hit[axis]) for axis in "xy"] == [np.float32(record[axis]) for axis in "xy"]
    assert hit["parts"] == [hit["score"]]


@pytest.fixture
def older(dataset: Dataset) -> Iterator[MapVersion]:
    """Of fewer records, whose points lie in the opposite order."""
    shown = DataMap.objects.select_related("current__map").get(dataset=dataset, space="joint").current
    assert shown is not None
    build = Build.objects.create(dataset=dataset, row_count=40, state=State.DONE)
    version = MapVersion.objects.create(map=shown.map, build=build, number=99, count=40)
    shutil.copytree(shown.folder, version.folder)
    np.arange(40, dtype="<u4")[::-1].tofile(version.folder / "ordinals.bin")
    yield version
    shutil.rmtree(version.folder, ignore_errors=True)


@pytest.mark.parametrize("mode", ["best", "words"])
def test_a_page_that_shows_an_older_version_gets_its_records_and_its_ordinals(
    cast: Cast, dataset: Dataset, older: MapVersion, mode: str
) -> None:
    asked = parts({"text": "red"}, map=str(older.map_id), mode=mode)

    before, after = (
        ask(cast, dataset, {**asked, **more}).json() for more in ({"version": str(older.pk)}, {})
    )

    assert (before["searched"], after["searched"]) == (40, COUNT)
    assert {hit["row"]: hit["ordinal"] for hit in before["hits"][:5]} == {
        row: 39 - row for row in range(0, 40, 8)
    }
    ordinals, _ = positions(shown_folder(older.map), [hit["row"] for hit in after["hits"]])
    assert [hit["ordinal"] for hit in after["hits"]] == ordinals.tolist()


@pytest.fixture
def withdrawn(older: MapVersion, monkeypatch: pytest.MonkeyPatch) -> MapVersion:
    """It is what is shown, until an answer was found and places on it are looked for."""
    newest = older.map.current
    DataMap.objects.filter(pk=older.map_id).update(current=older)
    good = body.as_body

    def late(found: engine.Answer, folder: Path) -> bytes:
        if MapVersion.objects.filter(pk=older.pk).exists():
            DataMap.objects.filter(pk=older.map_id).update(current=newest)
            MapVersion.objects.filter(pk=older.pk).delete()
            shutil.rmtree(older.folder)
        return good(folder=folder, found=found)

    for module in (api, tasks):
        monkeypatch.setattr(module, "as_body", late)
    return older


@pytest.mark.parametrize("mode", ["best", "words"])
def test_a_search_during_which_its_map_is_replaced_is_answered_from_the_newest(
    cast: Cast, dataset: Dataset, withdrawn: MapVersion, mode: str
) -> None:
    answer = ask(cast, dataset, parts({"text": "red"}, map=str(withdrawn.map_id), mode=mode))

    assert (answer.status_code, answer.json()["searched"]) == (200, COUNT)
    rows = [hit["row"] for hit in answer.json()["hits"]]
    ordinals, _ = positions(shown_folder(withdrawn.map), rows)
    assert [hit["ordinal"] for hit in answer.json()["hits"]] == ordinals.tolist()


@pytest.mark.parametrize("mode", ["best", "words"])
def test_a_page_whose_map_goes_during_a_search_is_told_that_it_is_gone(
    cast: Cast, dataset: Dataset, withdrawn: MapVersion, mode: str
) -> None:
    named = {"map": str(withdrawn.map_id), "version": str(withdrawn.pk)}
    assert ask(cast, dataset, parts({"text": "red"}, mode=mode, **named)).status_code == 404


def test_a_file_that_is_missing_of_a_map_that_is_kept_is_a_fault(
    cast: Cast, dataset: Dataset, older: MapVersion
) -> None:
    (older.folder / "ordinals.bin").unlink()
    named = {"map": str(older.map_id), "version": str(older.pk)}
    with pytest.raises(FileNotFoundError):
        ask(cast, dataset, parts({"text": "red"}, **named))


def test_a_region_on_a_page_that_shows_an_older_version_is_of_its_layout(
    cast: Cast, dataset: Dataset, older: MapVersion
) -> None:
    points = np.fromfile(older.folder / "points.bin", "<f4").reshape(-1, 2)[:40] * 0 + 5
    points.tofile(older.folder / "points.bin")
    np.arange(40, dtype="<u4").tofile(older.folder / "rows.bin")
    region = {"region": [[4, 4], [6, 4], [6, 6], [4, 6]], "map": str(older.map_id)}
    asked = parts({"text": "red"}, {"filter": region}, map=str(older.map_id), filter=region)

    answers = [ask(cast, dataset, {**asked, **more}) for more in ({"version": str(older.pk)}, {})]

    assert [answer.status_code for answer in answers] == [200, 422]
    assert answers[0].json()["searched"] == 40


def shown_folder(data_map: DataMap) -> Path:
    assert data_map.current is not None
    return data_map.current.folder


def test_a_version_is_one_of_the_map_that_is_asked_for(
    cast: Cast, dataset: Dataset, older: MapVersion
) -> None:
    foreign = MapVersion.objects.filter(map__dataset__team__members=cast.charlie)[0]
    other = DataMap.objects.get(dataset=dataset, space="image")
    words = {"text": "red"}

    def status(version: object, data_map: DataMap | None = None, name: str = "alice") -> int:
        more = {"map": str(data_map.pk)} if data_map else {}
        answer = ask(cast, dataset, parts(words, version=str(version), **more), name)
        return int(answer.status_code)

    assert status(older.pk, older.map) == status(older.pk) == 200
    assert status(older.pk, other) == status(foreign.pk) == status(foreign.pk, foreign.map) == 404
    assert status(uuid4()) == status(older.pk, older.map, "charlie") == 404


@pytest.fixture
def other_weights(dataset: Dataset, fake_towers: FakeModel) -> None:
    """Another model came under the name of the one that made the vectors."""
    fake_towers.revision = "2"


def test_words_and_pictures_are_not_compared_with_the_vectors_of_other_weights(
    cast: Cast, dataset: Dataset, other_weights: None
) -> None:
    for part in ({"text": "red"}, {"picture": red_picture()}):
        refused = ask(cast, dataset, parts(part, mode="meaning"))

        assert refused.status_code == 422
        assert "other weights" in refused.json()["detail"]

    by_words = ask(cast, dataset, parts({"text": "red"})).json()
    assert (by_words["mode"], by_words["away"], by_words["relevant"]) == ("words", False, 8)
    assert colours_of(ask(cast, dataset, parts({"row": 2})), 8) == {"blue"}


def test_of_two_spaces_words_are_compared_with_the_one_that_the_present_weights_made(
    cast: Cast, dataset: Dataset, other_weights: None
) -> None:
    made_by = VectorSet.objects.get(dataset=dataset, space="image")
    VectorSet.objects.filter(pk=made_by.pk).update(revision="2")

    answer = ask(cast, dataset, parts({"text": "red"}, mode="meaning"))

    assert colours_of(answer, 8) == {"red"}
    assert answer.json()["without"] == "captions"


@pytest.mark.parametrize(("space", "name"), [("caption", "captions"), ("image", "pictures")])
def test_a_space_that_is_being_made_anew_is_named(
    cast: Cast, dataset: Dataset, space: str, name: str
) -> None:
    whole = ask(cast, dataset, parts({"text": "red"})).json()
    VectorSet.objects.filter(dataset=dataset, space=space).update(complete=False)

    half = ask(cast, dataset, parts({"text": "red"})).json()
    other = "pictures" if name == "captions" else "captions"

    assert (whole["without"], half["without"]) == (None, name)
    assert ask(cast, dataset, parts({"text": "red"}, against=other)).json()["without"] is None


@pytest.mark.parametrize("address", ["datasets/{dataset}/search", "maps/{map}/glow", "search"])
def test_the_pictures_of_a_query_are_not_kept_once_it_is_answered(
    cast: Cast, dataset: Dataset, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[str] = []

    def wait(key: str, content: bytes, seconds: float) -> None:
        waited.append(key)
        cache.add(key, content, seconds)

    monkeypatch.setattr("atlas.search.api.cache.set", wait)
    at = address.format(dataset=dataset.pk, map=DataMap.objects.get(dataset=dataset, space="image").pk)
    assert post(cast, f"/api/{at}", parts({"picture": red_picture()})).status_code == 200
    refused = parts({"picture": red_picture()}, {"picture": "not base64!"})
    assert post(cast, f"/api/{at}", refused).status_code == 422
    kept = [key for key in waited if key.startswith("query-picture:")]
    assert len(kept) == 2
    assert cache.get_many(kept) == {}


def test_a_query_waits_for_all_its_addresses_together(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up: list[float] = []

    def fetch(_: str, until: float) -> bytes:
        given_up.append(until)
        return base64.b64decode(red_picture())

    monkeypatch.setattr("atlas.search.api.fetch_picture", fetch)
    assert ask(cast, dataset, parts(*[{"url": "https://example.org/red.png"}] * 4)).status_code == 200
    assert given_up == given_up[:1] * 4
    assert given_up[0] <= time.monotonic() + SECONDS


def test_a_picture_finds_pictures_like_it(cast: Cast, dataset: Dataset) -> None:
    answer = ask(cast, dataset, parts({"picture": red_picture()}, against="pictures"))

    assert colours_of(answer, 8) == {"red"}


def test_a_record_finds_itself_first_and_then_its_like(cast: Cast, dataset: Dataset) -> None:
    answer = ask(cast, dataset, parts({"row": 2}))

    assert answer.json()["hits"][0]["row"] == 2
    assert colours_of(answer, 8) == {"blue"}


def test_an_unwanted_part_keeps_its_like_away(cast: Cast, dataset: Dataset) -> None:
    answer = ask(cast, dataset, parts({"text": "red"}, {"text": "blue"}, {"row": 0, "weight": -2}))

    assert colours_of(answer, 8) == {"blue"}


def test_the_limit_holds(cast: Cast, dataset: Dataset) -> None:
    assert len(ask(cast, dataset, parts({"text": "red"}, limit=3)).json()["hits"]) == 3


@pytest.mark.parametrize(
    ("name", "status"), [("alice", 200), ("bob", 200), ("victor", 200), ("charlie", 404), (None, 404)]
)
def test_only_the_team_may_search_a_private_dataset(
    cast: Cast, dataset: Dataset, name: str | None, status: int
) -> None:
    assert ask(cast, dataset, parts({"text": "red"}), name).status_code == status


def test_everybody_may_search_a_public_dataset(cast: Cast, dataset: Dataset) -> None:
    Dataset.objects.update(visibility=Visibility.PUBLIC)

    for name in ("charlie", None):
        assert ask(cast, dataset, parts({"text": "red"}), name).status_code == 200


def test_a_map_of_another_dataset_does_not_exist_here(cast: Cast, dataset: Dataset) -> None:
    foreign = DataMap.objects.get(dataset__team__members=cast.charlie, space="joint")

    assert ask(cast, dataset, parts({"text": "red"}, map=str(foreign.pk))).status_code == 404


def test_a_dataset_without_a_ready_map_says_so(cast: Cast) -> None:
    answer = ask(cast, make_dataset(cast.team), parts({"text": "red"}))

    assert answer.status_code == 404
    assert "not ready" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {"parts": []},
        {"parts": [{}]},
        {"parts": [{"text": " "}]},
        {"parts": [{"text": "red", "row": 1}]},
        {"parts": [{"text": "red", "weight": 0}]},
        {"parts": [{"text": "red", "weight": 1e308}]},
        {"parts": [{"text": "red", "weight": 1e-200}]},
        {"parts": [{"text": "red", "weight": -0.009}]},
        {"parts": [{"url": "https://example.org/red.png"}] * 5},
        {"parts": [{"text": "red" * 10_000}]},
        {"parts": [{"row": -1}]},
        {"parts": [{"row": 2**31}]},
        {"parts": [{"row": COUNT}]},
        {"parts": [{"text": "red"}] * 21},
        {"parts": [{"picture": "not base64!"}]},
        {"parts": [{"picture": base64.b64encode(b"<svg/>").decode()}]},
        {"parts": [{"picture": ""}]},
        {"parts": [{"text": "red"}], "limit": 0},
        {"parts": [{"text": "red"}], "against": "everything"},
        {"parts": [{"text": "red"}], "map": "nonsense"},
        '{"parts": [{"text": "\\ud800"}]}',
        "[",
        "",
    ],
)
def test_an_odd_query_gets_a_sentence(cast: Cast, dataset: Dataset, body: Any) -> None:
    answer = ask(cast, dataset, body)

    assert 400 <= answer.status_code < 500
    assert answer.json()["detail"]


def test_who_may_ask_and_what_is_shown_is_one_question_to_the_database(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(visibility=Visibility.PUBLIC)
    monkeypatch.setattr(asking, "ask", lambda *_, **__: {"content": b"{}"})

    version = MapVersion.objects.filter(map__dataset=dataset, map__space="joint")[0]
    for more in ({}, {"map": str(version.map_id), "version": str(version.pk)}):
        with django_assert_num_queries(1):
            assert ask(cast, dataset, parts({"row": 2}, **more), name=None).status_code == 200
