"""What has the words: of several texts, among few records, by name, and within bounds."""

from typing import Any

import numpy as np
import pytest
from django.db import transaction

from atlas.datasets.models import Dataset, Record
from atlas.search import engine, words
from tests.people import Cast
from tests.search.queries import COUNT, ask, parts, red_picture

pytestmark = pytest.mark.django_db

RED = {row for row in range(COUNT) if row % 8 == 0}


def hits_of(answer: Any, **wanted: Any) -> set[int]:
    return {
        hit["row"]
        for hit in answer.json()["hits"]
        if all(hit[name] == value for name, value in wanted.items())
    }


@pytest.mark.parametrize("mode", ["best", "words"])
def test_of_two_texts_both_are_wanted(cast: Cast, dataset: Dataset, mode: str) -> None:
    answer = ask(cast, dataset, parts({"text": "thing"}, {"text": '"number 8" or "number 9"'}, mode=mode))

    body = answer.json()
    assert hits_of(answer, sure=True) == {8, 9}
    assert {hit["row"] for hit in body["hits"][: body["relevant"]]} >= {8, 9}
    # What has one of them is not left out.
    assert len([hit for hit in body["hits"] if hit["words"]]) == COUNT
    assert {hit["words"] for hit in body["hits"] if hit["sure"]} < {1, 2}
    if mode == "words":
        assert body["relevant"] == 2
        assert [hit["sure"] for hit in body["hits"]] == [True] * 2 + [False] * (COUNT - 2)


def test_a_text_that_says_nothing_keeps_nobody_from_having_all(cast: Cast, dataset: Dataset) -> None:
    for other in ({"text": "the"}, {"text": "red"}):
        answer = ask(cast, dataset, parts({"text": "red"}, other, mode="words"))

        assert hits_of(answer, sure=True) == RED


def test_a_name_counts_as_having_its_text(cast: Cast, dataset: Dataset) -> None:
    for mode in ("best", "words"):
        answer = ask(cast, dataset, parts({"text": "8.png"}, {"text": "red"}, mode=mode))

        assert hits_of(answer, sure=True) == {8}


def test_words_beside_another_wish_make_nothing_sure(cast: Cast, dataset: Dataset) -> None:
    pictured = ask(cast, dataset, parts({"text": "red"}, {"picture": red_picture()}))
    against = ask(cast, dataset, parts({"text": "red"}, {"picture": red_picture(), "weight": -1}))
    by_meaning = ask(cast, dataset, parts({"text": "red"}, mode="meaning"))

    assert hits_of(pictured, sure=True) == hits_of(by_meaning, sure=True) == set()
    assert hits_of(against, sure=True) == RED


@pytest.mark.parametrize("mode", ["best", "words"])
def test_common_words_are_looked_up_among_the_records_of_a_filter(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(words, "MOST_MATCHES", 5)
    late = [9, 40, 41, 63]

    answer = ask(cast, dataset, parts({"text": "thing"}, mode=mode, filter={"rows": late}))

    assert hits_of(answer, sure=True) == set(late)
    assert answer.json()["relevant"] == len(late)


def test_all_that_have_the_words_are_counted_however_few_are_listed(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "MOST_MATCHES", 3)

    for asked, count in (({"text": "thing"}, COUNT), ({"text": "red"}, len(RED)), ({"text": "zebra"}, 0)):
        answer = ask(cast, dataset, parts(asked, mode="words")).json()

        assert (len(answer["hits"]), answer["relevant"]) == (min(3, count), count)


@pytest.mark.parametrize(
    ("named", "text"),
    [
        ({"key": "shelf/Red/12"}, "shelf/red/12"),
        ({"key": "12b"}, "shelf/12b"),
        ({"source": "a.zip/Ame\u0301lie.png"}, "am\u00e9lie.png"),
        ({"source": "a.zip/Am\u00e9lie.png"}, "a.zip/ame\u0301lie.png"),
    ],
)
def test_a_name_is_found_with_its_folders_and_however_accents_are_written(
    cast: Cast, dataset: Dataset, named: dict[str, str], text: str
) -> None:
    Record.objects.filter(dataset=dataset, row=13).update(**named)

    assert ask(cast, dataset, parts({"text": text}, mode="words")).json()["hits"][0]["row"] == 13


def test_unwanted_words_leave_out_what_is_named_as_wanted(cast: Cast, dataset: Dataset) -> None:
    asked = parts({"text": "9.png"}, {"text": "green", "weight": -1}, mode="words")

    assert hits_of(ask(cast, dataset, asked)) == set()


def test_words_that_take_too_long_leave_the_answer_to_the_meaning(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = "SET LOCAL statement_timeout = {milliseconds}; SELECT pg_sleep(20)"
    monkeypatch.setattr(words, "_QUERY", slow)
    monkeypatch.setattr(engine, "WORDS_SECONDS", 0.05)
    monkeypatch.setattr(engine, "WORDS_BESIDE_SECONDS", 0.05)
    find = words.find_words

    def in_its_own_transaction(*arguments: Any, **more: Any) -> Any:
        with transaction.atomic():
            return find(*arguments, **more)

    monkeypatch.setattr(engine, "find_words", in_its_own_transaction)

    both = ask(cast, dataset, parts({"text": "red"})).json()
    alone = ask(cast, dataset, parts({"text": "red"}, mode="words"))

    assert (both["mode"], both["relevant"], both["away"]) == ("meaning", 8, False)
    assert alone.status_code == 422
    assert "takes too long" in alone.json()["detail"]


def test_too_many_words_are_not_looked_up(cast: Cast, dataset: Dataset) -> None:
    few, many = "thing or " * 90, "thing or " * 120

    assert ask(cast, dataset, parts({"text": few}, mode="words")).json()["relevant"] == COUNT
    assert ask(cast, dataset, parts({"text": many}, mode="words")).status_code == 422
    assert ask(cast, dataset, parts({"text": many})).json()["mode"] == "meaning"


def test_allowed_rows_are_told_apart_in_every_place_of_a_byte(dataset: Dataset) -> None:
    for row in (0, 7, 8, COUNT - 1):
        allowed = np.arange(COUNT) == row

        found = words.find_words(dataset.pk, COUNT, ["thing"], [], allowed, seconds=5)

        assert found.rows.tolist() == [row]
