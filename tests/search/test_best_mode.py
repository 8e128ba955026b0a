"""Words and meaning together, filters, groups as parts, pages; POST /api/datasets/{id}/search."""

from typing import Any

import pytest
from django.core.cache import cache

from atlas.datasets.models import Dataset, Record, TaggedRecord, Visibility
from atlas.maps import towers
from atlas.maps.models import DataMap, Topic
from atlas.search import asking
from atlas.search.replies import FailedError, WorkerAwayError
from atlas.teams.links import create_link
from tests.callers import opened
from tests.maps.records import COLOURS
from tests.people import Cast
from tests.search.queries import COUNT, ask, colours_of, parts, post, red_picture

pytestmark = pytest.mark.django_db


def rows_of(answer: Any) -> list[int]:
    return [hit["row"] for hit in answer.json()["hits"]]


def away(*_: Any, **__: Any) -> Any:
    raise WorkerAwayError


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("purple", {4, 12, 20, 28, 36, 44, 52, 60}),
        ('"thing number 9"', {9}),
        ('"number thing"', set()),
        ("red -thing", set()),
        ("number 9 or number 10", {9, 10}),
        ("things numbered 9", {9}),
        ("9.png", {9}),
        ("TEST.zip/9.PNG", {9}),
    ],
)
def test_words_are_looked_up_as_people_type_them(
    cast: Cast, dataset: Dataset, text: str, found: set[int]
) -> None:
    answer = ask(cast, dataset, parts({"text": text}, mode="words"))

    assert set(rows_of(answer)) == found
    assert answer.json()["relevant"] == len(found)
    assert (answer.json()["mode"], answer.json()["cut"], answer.json()["histogram"]) == ("words", None, None)


def test_a_key_or_a_file_name_comes_before_all_other_words(cast: Cast, dataset: Dataset) -> None:
    Record.objects.filter(dataset=dataset, row=13).update(key="RED")

    answer = ask(cast, dataset, parts({"text": "red"}, mode="words"))

    assert rows_of(answer)[0] == 13
    assert answer.json()["relevant"] == 9


def test_captions_that_have_the_words_equally_well_share_a_place(cast: Cast, dataset: Dataset) -> None:
    few = {"column": "size", "from": 4, "to": 40}
    for query in ({"text": "red"}, {"text": '"number 9" or red'}):
        for more in ({}, {"filter": few}):
            places = [
                hit["words"] for hit in ask(cast, dataset, parts(query, mode="words", **more)).json()["hits"]
            ]

            assert places[0] == 1
            assert len(set(places)) < len(places)
            assert all(place == 1 + sum(other < place for other in places) for place in places)


def test_unwanted_words_leave_out_what_has_them(cast: Cast, dataset: Dataset) -> None:
    answer = ask(
        cast, dataset, parts({"text": "number 9 or number 8"}, {"text": "red", "weight": -1}, mode="words")
    )

    assert rows_of(answer) == [9]


def test_both_lists_are_fused_and_the_relevant_come_first(cast: Cast, dataset: Dataset) -> None:
    answer = ask(cast, dataset, parts({"text": 'red or "number 9"'}))

    body = answer.json()
    assert body["mode"] == "best"
    assert body["relevant"] == 9
    assert 9 in rows_of(answer)[:9]
    assert colours_of(answer, 9) == {"red", "green"}
    assert [hit["words"] for hit in body["hits"][:9]].count(None) == 0


def test_a_query_without_words_is_answered_by_meaning(cast: Cast, dataset: Dataset) -> None:
    answer = ask(cast, dataset, parts({"picture": red_picture()}))

    assert answer.json()["mode"] == "meaning"
    assert {hit["words"] for hit in answer.json()["hits"]} == {None}


def test_pages_follow_each_other(cast: Cast, dataset: Dataset) -> None:
    whole = rows_of(ask(cast, dataset, parts({"text": "red"})))
    pages = [
        rows_of(ask(cast, dataset, parts({"text": "red"}, offset=at, limit=20))) for at in (0, 20, 40, 60, 80)
    ]

    assert [row for page in pages for row in page] == whole
    assert len(whole) == COUNT


@pytest.mark.parametrize("mode", ["best", "meaning", "words"])
def test_a_filter_says_what_can_be_a_hit(cast: Cast, dataset: Dataset, mode: str) -> None:
    few = {"column": "size", "from": 0, "to": 19}

    answer = ask(cast, dataset, parts({"text": "red"}, mode=mode, filter=few))

    assert set(rows_of(answer)[:3]) == {0, 8, 16}
    assert max(rows_of(answer)) < 20
    assert answer.json()["searched"] == 20
    assert answer.json()["relevant"] == 3


def test_a_filter_does_not_move_the_cut(cast: Cast, dataset: Dataset) -> None:
    few = {"column": "size", "from": 0, "to": 7}

    whole, filtered = (
        ask(cast, dataset, parts({"text": "blue"}, mode="meaning", **more)).json()
        for more in ({}, {"filter": few})
    )
    nothing = ask(cast, dataset, parts({"text": "blue"}, mode="meaning", filter={"rows": [0, 1]})).json()

    assert filtered["cut"] == whole["cut"]
    assert (whole["relevant"], filtered["relevant"], nothing["relevant"]) == (8, 1, 0)


def test_a_filter_without_sense_gets_a_sentence(cast: Cast, dataset: Dataset) -> None:
    for mode in ("best", "words"):
        answer = ask(
            cast, dataset, parts({"text": "red"}, mode=mode, filter={"column": "nonsense", "in": [1]})
        )

        assert answer.status_code == 422
        assert "nonsense" in answer.json()["detail"]


def test_the_histogram_and_the_marker_tell_of_the_whole_query(cast: Cast, dataset: Dataset) -> None:
    body = ask(cast, dataset, parts({"text": "red"}, limit=1)).json()

    assert sum(body["histogram"]["counts"]) == COUNT
    assert body["histogram"]["from"] < body["cut"] <= body["histogram"]["to"]
    assert 0 <= body["marker"]["x"] <= 1
    assert 0 <= body["marker"]["y"] <= 1


def test_a_tag_is_the_mean_of_its_records(cast: Cast, dataset: Dataset) -> None:
    tag = dataset.tags.create(name="liked")
    TaggedRecord.objects.bulk_create([TaggedRecord(tag=tag, row=row) for row in (2, 10, 18)])

    answer = ask(cast, dataset, parts({"tag": str(tag.pk)}))

    assert colours_of(answer, 8) == {"blue"}


def test_a_filter_is_the_mean_of_the_records_that_match(cast: Cast, dataset: Dataset) -> None:
    chosen = {"any": [{"rows": [2, 10]}, {"all": [{"rows": [18]}, {"has": "image"}]}]}

    answer = ask(cast, dataset, parts({"filter": chosen}))

    assert colours_of(answer, 8) == {"blue"}


def test_a_part_does_not_ask_for_the_words_of_hidden_captions(cast: Cast, dataset: Dataset) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(visibility=Visibility.LINK)
    visitor = opened(create_link(dataset.pk, cast.alice, hide_captions=True))
    address = f"/api/datasets/{dataset.pk}/search"

    def status(chosen: dict[str, Any]) -> int:
        body = parts({"filter": chosen}, against="pictures", mode="meaning")
        return visitor.post(address, body, content_type="application/json").status_code

    assert status({"rows": [2, 10]}) == 200
    assert status({"all": [{"rows": [2, 10]}, {"caption": "blue"}]}) == 422


def test_a_topic_is_the_mean_of_its_records(cast: Cast, dataset: Dataset) -> None:
    data_map = DataMap.objects.get(dataset=dataset, space="joint")
    topic = Topic.objects.filter(version=data_map.current_id).order_by("-level", "number").first()
    assert topic is not None

    answer = ask(cast, dataset, parts({"topic": topic.number, "map": str(data_map.pk)}))

    assert answer.status_code == 200
    assert COLOURS[topic.representative % len(COLOURS)] in colours_of(answer, 8)


def test_a_topic_is_one_of_the_version_that_the_part_names(cast: Cast, dataset: Dataset) -> None:
    data_map = DataMap.objects.get(dataset=dataset, space="joint")
    number = Topic.objects.filter(version=data_map.current_id).values_list("number", flat=True)[0]
    topic = {"topic": number, "map": str(data_map.pk)}

    shown = ask(cast, dataset, parts({**topic, "version": str(data_map.current_id)}))
    gone = ask(cast, dataset, parts({**topic, "version": str(dataset.pk)}))

    assert [shown.status_code, gone.status_code] == [200, 422]


@pytest.mark.parametrize(
    "part",
    [
        {"topic": 999_999},
        {"topic": 1, "map": "8d6d6b0c-5f0c-4a57-9a5c-3f8f6d3c1a11"},
        {"tag": "8d6d6b0c-5f0c-4a57-9a5c-3f8f6d3c1a11"},
        {"map": "8d6d6b0c-5f0c-4a57-9a5c-3f8f6d3c1a11", "text": "red"},
        {"url": "https://example.org/red.png"},
        {"filter": {}},
        {"filter": {"rows": []}},
        {"filter": {"column": "none", "in": ["red"]}},
    ],
)
def test_a_part_that_is_not_there_gets_a_sentence(cast: Cast, dataset: Dataset, part: dict[str, Any]) -> None:
    answer = ask(cast, dataset, parts(part))

    assert answer.status_code == 422
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000,
        "red " * 40,
        "\0red",
        "'; DROP TABLE datasets_record; --",
        "<script>alert(1)</script>",
        "red & | ! ( <-> :* 'x",
        '"""""',
        "---",
        "%s %(x)s {0} \\",
        "красный 红色 أحمر 🍎",
        "\u202ered\u0300",
        "the of a",
    ],
)
@pytest.mark.parametrize("mode", ["best", "words"])
def test_any_text_has_an_answer(cast: Cast, dataset: Dataset, text: str, mode: str) -> None:
    answer = ask(cast, dataset, parts({"text": text}, {"text": text, "weight": -1}, mode=mode))

    assert answer.status_code == 200


@pytest.mark.parametrize("mode", ["best", "words"])
def test_without_the_worker_words_still_answer(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    patience: list[float] = []

    def hanging(*_: Any, wait: float) -> Any:
        patience.append(wait)
        raise WorkerAwayError

    monkeypatch.setattr(asking, "ask", hanging)

    body = ask(cast, dataset, parts({"text": "red"}, mode=mode)).json()

    assert (body["mode"], body["away"], body["relevant"]) == ("words", mode == "best", 8)
    assert patience == ([asking.SHORT_WAIT_SECONDS] if mode == "best" else [])


def test_without_the_worker_words_that_nobody_has_find_nothing_and_the_answer_says_why(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All words are asked for: "a red apple" finds no red thing. The page says that meaning is away."""
    monkeypatch.setattr(asking, "ask", away)

    body = ask(cast, dataset, parts({"text": "a red apple"})).json()

    assert (body["mode"], body["away"], body["relevant"], body["hits"]) == ("words", True, 0, [])
    assert body["searched"] == COUNT


def test_a_worker_that_fails_is_as_good_as_away(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise FailedError("It failed at this.")

    monkeypatch.setattr(asking, "ask", fails)
    shown = DataMap.objects.get(dataset=dataset, space="joint")

    best = ask(cast, dataset, parts({"text": "red"})).json()
    meaning = ask(cast, dataset, parts({"text": "red"}, mode="meaning"))
    glow = post(cast, f"/api/maps/{shown.pk}/glow", parts({"text": "red"}))
    everywhere = post(cast, "/api/search", parts({"text": "red"})).json()

    assert (best["mode"], best["away"], best["relevant"]) == ("words", True, 8)
    for answer in (meaning, glow):
        assert (answer.status_code, answer.json()["detail"]) == (503, "It failed at this.")
    assert (everywhere["away"], everywhere["groups"][0]["relevant"]) == (True, 8)


@pytest.mark.parametrize("more", [{"mode": "meaning"}, {"parts": [{"row": 1}]}])
def test_without_the_worker_nothing_else_can_answer(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    monkeypatch.setattr(asking, "ask", away)

    answer = ask(cast, dataset, {**parts({"text": "red"}), **more})

    assert answer.status_code == 503


def test_without_a_model_words_still_answer(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: str) -> Any:
        raise towers.TowerError("Download the model first.")

    monkeypatch.setattr(towers, "model", missing)
    cache.clear()  # the vectors of words that others asked for

    # Words that no other test asks for: the vectors of those would be in the cache.
    assert ask(cast, dataset, parts({"text": "green or unheard"})).json()["away"] is True
    refused = ask(cast, dataset, parts({"text": "yellow or unheard"}, mode="meaning"))
    assert (refused.status_code, refused.json()["detail"]) == (422, "Download the model first.")
