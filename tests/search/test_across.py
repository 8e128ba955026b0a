"""POST /api/search: over all datasets that the asker may see."""

import base64
from time import time
from typing import Any
from uuid import UUID

import pytest

from atlas.datasets.models import Dataset, Visibility
from atlas.search import across, api, asking, engine
from tests.people import Cast
from tests.search.queries import parts, post, red_picture
from tests.search.test_best_mode import away

pytestmark = pytest.mark.django_db


def groups(answer: Any) -> set[str]:
    return {group["dataset"]["id"] for group in answer.json()["groups"]}


@pytest.fixture
def foreign(cast: Cast, dataset: Dataset) -> Dataset:
    """Charlie's, made like Alice's."""
    return Dataset.objects.exclude(pk=dataset.pk).get(team__members=cast.charlie)


@pytest.mark.parametrize("mode", ["best", "meaning", "words"])
def test_each_finds_in_what_they_may_see_and_nothing_else(
    cast: Cast, dataset: Dataset, foreign: Dataset, mode: str
) -> None:
    for name, seen in (("victor", {str(dataset.pk)}), ("charlie", {str(foreign.pk)}), (None, set())):
        answer = post(cast, "/api/search", parts({"text": "red"}, mode=mode), name)

        assert answer.status_code == 200
        assert groups(answer) == seen
        assert answer.json()["skipped"] == []


def test_who_sees_no_dataset_makes_the_server_fetch_nothing(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []

    def fetch(url: str) -> bytes:
        fetched.append(url)
        return base64.b64decode(red_picture())

    monkeypatch.setattr(api, "fetch_picture", fetch)
    asked = parts({"url": "https://example.org/red.png"}, mode="meaning")

    assert post(cast, "/api/search", asked, None).json()["groups"] == []
    assert post(cast, f"/api/datasets/{dataset.pk}/search", asked, None).status_code == 404
    assert fetched == []
    assert groups(post(cast, "/api/search", asked)) == {str(dataset.pk)}
    assert len(fetched) == 1


def test_public_datasets_are_everybodys(cast: Cast, dataset: Dataset, foreign: Dataset) -> None:
    Dataset.objects.filter(pk=foreign.pk).update(visibility=Visibility.PUBLIC)

    assert groups(post(cast, "/api/search", parts({"text": "red"}))) == {str(dataset.pk), str(foreign.pk)}
    assert groups(post(cast, "/api/search", parts({"text": "red"}), None)) == {str(foreign.pk)}


def test_a_group_shows_its_dataset_and_its_best_records(cast: Cast, dataset: Dataset) -> None:
    [group] = post(cast, "/api/search", parts({"picture": red_picture()}, limit=5)).json()["groups"]

    assert group["dataset"]["name"] == dataset.name
    assert group["dataset"]["url"] == dataset.get_absolute_url()
    assert group["dataset"]["team"] == dataset.team.name
    assert group["relevant"] == 8
    assert len(group["hits"]) == 5
    for hit in group["hits"]:
        assert hit["row"] % 8 == 0
        assert hit["caption"] == f"red thing number {hit['row']}"
        assert hit["thumbnail"].endswith(f"/records/{hit['row']}/thumbnail")


def test_what_is_no_hit_is_not_among_the_hits(cast: Cast, dataset: Dataset) -> None:
    for part in ({"picture": red_picture()}, {"text": "red"}):
        [group] = post(cast, "/api/search", parts(part, limit=12)).json()["groups"]

        assert group["relevant"] == len(group["hits"]) == 8

    two = parts({"text": "red"}, {"text": "green"}, mode="words")
    assert post(cast, "/api/search", two).json()["groups"] == []


def test_a_dataset_of_another_model_is_named_with_the_reason(
    cast: Cast, dataset: Dataset, foreign: Dataset
) -> None:
    Dataset.objects.filter(pk=foreign.pk).update(visibility=Visibility.PUBLIC, model="nomic-v1.5")
    body = post(cast, "/api/search", parts({"text": "red"})).json()

    named = {group["dataset"]["id"] for group in body["groups"]}
    [skipped] = body["skipped"]
    assert {*named, skipped["dataset"]["id"]} == {str(dataset.pk), str(foreign.pk)}
    assert "another model" in skipped["reason"]


def test_without_the_worker_words_still_answer(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ask", away)

    body = post(cast, "/api/search", parts({"text": "red"})).json()

    assert (body["mode"], body["away"], body["groups"][0]["relevant"]) == ("words", True, 8)
    assert post(cast, "/api/search", parts({"picture": red_picture()})).status_code == 503


@pytest.mark.parametrize(
    "part", [{"row": 1}, {"tag": "8d6d6b0c-5f0c-4a57-9a5c-3f8f6d3c1a11"}, {}, {"text": ""}]
)
def test_parts_of_one_dataset_are_refused(cast: Cast, dataset: Dataset, part: dict[str, Any]) -> None:
    assert post(cast, "/api/search", parts(part)).status_code == 422


def test_one_dataset_that_breaks_the_search_is_skipped(
    cast: Cast, dataset: Dataset, foreign: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    Dataset.objects.filter(pk=foreign.pk).update(visibility=Visibility.PUBLIC)
    answer = engine.answer

    def breaks(dataset_id: UUID, *arguments: Any) -> Any:
        if dataset_id == foreign.pk:
            raise OSError("its file is broken")
        return answer(dataset_id, *arguments)

    monkeypatch.setattr(engine, "answer", breaks)

    for mode in ("best", "words"):
        found = post(cast, "/api/search", parts({"text": "red"}, mode=mode))

        assert groups(found) == {str(dataset.pk)}
        [skipped] = found.json()["skipped"]
        assert skipped["dataset"]["id"] == str(foreign.pk)
        assert "log" in skipped["reason"]


@pytest.mark.parametrize("mode", ["best", "words"])
def test_datasets_that_no_time_is_left_for_are_named(
    cast: Cast, dataset: Dataset, foreign: Dataset, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    Dataset.objects.filter(pk=foreign.pk).update(visibility=Visibility.PUBLIC)
    searched: list[str] = []
    answer = engine.answer

    def slow(dataset_id: UUID, *arguments: Any) -> Any:
        searched.append(str(dataset_id))
        return answer(dataset_id, *arguments)

    monkeypatch.setattr(engine, "answer", slow)
    monkeypatch.setattr(across, "time", lambda: time() + 60 * len(searched))

    body = post(cast, "/api/search", parts({"text": "red"}, mode=mode))

    assert groups(body) == set(searched)
    [skipped] = body.json()["skipped"]
    assert {skipped["dataset"]["id"], *searched} == {str(dataset.pk), str(foreign.pk)}
    assert "no time" in skipped["reason"]
