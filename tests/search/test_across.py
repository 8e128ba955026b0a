"""POST /api/search: over all datasets that the asker may see."""

import base64
from collections.abc import Callable, Iterable, Sequence
from math import inf
from pathlib import Path
from time import time
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from atlas import clock
from atlas.datasets.models import Dataset, Visibility
from atlas.maps import towers
from atlas.maps.models import Space
from atlas.maps.vectors import Matrix, maker_name
from atlas.search import across, api, asking, engine, passes
from atlas.search.across import Seen
from atlas.search.query import Part, Query
from atlas.search.scan import Moments
from tests.maps.records import make_dataset
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

    def fetch(url: str, _: float) -> bytes:
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
    monkeypatch.setattr(clock, "now", lambda: time() + 60 * len(searched))

    body = post(cast, "/api/search", parts({"text": "red"}, mode=mode))

    assert groups(body) == set(searched)
    [skipped] = body.json()["skipped"]
    assert {skipped["dataset"]["id"], *searched} == {str(dataset.pk), str(foreign.pk)}
    assert "no time" in skipped["reason"]


# Planted datasets, whose truth is known: a vector is the sum of what its record shows, of the place in which
# towers leave its space, and of something of its own. A query of words is nearer to captions.

NOTIONS = dict(zip(("giraffe", "hat", "picture", "words"), np.eye(4, 64), strict=True))
PLACES = {Space.IMAGE: "picture", Space.CAPTION: "words"}
ALL_OF_IT, HAS_ONE, LARGE_WITHOUT = {"giraffe": 100}, {"": 1000, "giraffe": 1}, {"": 20_000}

#: How many records show what ("giraffe hat"), in each space that has vectors.
Planted = dict[Space, dict[str, int]]


def planted_matrix(space: Space, shown: dict[str, int]) -> Matrix:
    rng = np.random.default_rng(len(shown))
    notions = [
        sum((NOTIONS[each] for each in things.split()), 1.5 * NOTIONS[PLACES[space]])
        for things, count in shown.items()
        for _ in range(count)
    ]
    vectors = np.array(notions) + 0.13 * rng.normal(size=(len(notions), 64))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    maker = maker_name("mini", towers.revision("mini"))
    rows = np.arange(len(vectors), dtype=np.uint32)
    return Matrix(vectors.astype(np.float16), rows, Path(space), maker)


Order = Callable[..., list[str]]


@pytest.fixture
def order(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> Order:
    """The names of planted datasets in the order of their groups, for parts of words and their weights."""

    def of(planted: dict[str, Planted], parts: dict[str, float], hidden: str = "", mode: Any = "best") -> Any:
        datasets = {str(make_dataset(dataset.team).pk): name for name in planted}

        def opened(each: UUID, spaces: Sequence[Space], _: int) -> dict[Space, Matrix]:
            found = planted[datasets[str(each)]]
            return {space: planted_matrix(space, found[space]) for space in spaces if space in found}

        monkeypatch.setattr(engine, "open_matrices", opened)
        query = Query(tuple(Part(weight, text=text) for text, weight in parts.items()), "both", 12, mode=mode)
        asked = [
            {
                "id": each,
                "row_count": max(sum(shown.values()) for shown in planted[name].values()),
                "captions": name != hidden,
            }
            for each, name in datasets.items()
        ]
        found = across.answer(asked, query, inf)
        assert found["skipped"] == []
        return [datasets[group["id"]] for group in found["groups"]]

    def vectors_of_texts(_: str, texts: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        vectors = {text: (NOTIONS[text] + NOTIONS["words"]) / 2**0.5 for text in texts}
        return {text: vector.astype(np.float32) for text, vector in vectors.items()}

    monkeypatch.setattr(passes, "vectors_of_texts", vectors_of_texts)
    return of


@pytest.mark.parametrize("mode", ["best", "meaning"])
def test_the_largest_is_not_before_those_that_have_what_is_asked_for(order: Order, mode: str) -> None:
    """By chance one of many stands out further than any in a dataset that is all about it."""
    shown = {"large": LARGE_WITHOUT, "one": HAS_ONE, "all": ALL_OF_IT}

    for space in PLACES:
        found = order({name: {space: each} for name, each in shown.items()}, {"giraffe": 1}, mode=mode)

        assert found == ["all", "one", "large"]


def test_datasets_of_pictures_and_of_captions_have_one_order(order: Order) -> None:
    """Cosines of captions are higher, whatever they say."""
    planted: dict[str, Planted] = {
        "neither": {Space.IMAGE: LARGE_WITHOUT, Space.CAPTION: LARGE_WITHOUT},
        "words": {Space.CAPTION: LARGE_WITHOUT},
        "pictured": {Space.IMAGE: ALL_OF_IT},
        "said": {Space.CAPTION: HAS_ONE},
    }

    assert set(order(planted, {"giraffe": 1})[:2]) == {"pictured", "said"}


def test_what_hidden_captions_say_moves_no_dataset(order: Order) -> None:
    planted: dict[str, Planted] = {
        "secret": {Space.IMAGE: {"": 100}, Space.CAPTION: ALL_OF_IT},
        "shown": {Space.IMAGE: HAS_ONE},
        "large": {Space.IMAGE: LARGE_WITHOUT, Space.CAPTION: LARGE_WITHOUT},
    }

    assert order(planted, {"giraffe": 1})[-1] == "large"
    assert order(planted, {"giraffe": 1}, "secret") == ["shown", "large", "secret"]


def test_a_dataset_that_is_all_about_what_is_unwanted_is_last(order: Order) -> None:
    """Where all wear hats nothing is above the average of hats."""
    planted: dict[str, Planted] = {
        "hats": {Space.IMAGE: {"giraffe hat": 5000}},
        "giraffes": {Space.IMAGE: ALL_OF_IT},
    }

    assert order(planted, {"giraffe": 1, "hat": -1}) == ["giraffes", "hats"]


def test_hits_without_a_vector_say_as_little_as_the_mean() -> None:
    seen = [
        {Space.IMAGE: Seen(np.full((1, 1), cosine, np.float32), np.array([known]), [Moments(10, 0.2, 0.1)])}
        for cosine, known in ((0, False), (0.4, True), (0.1, True))
    ]

    worths = across.worths_of([{}, *seen], [1])

    assert worths == pytest.approx([0, 0, 2, -1], rel=1e-5)
