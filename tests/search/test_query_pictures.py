"""POST /api/datasets/{id}/query-pictures, GET /api/query-pictures/{key}, and searching by the key."""

import base64
import io
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Lock
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from PIL import Image

from atlas.datasets.models import Dataset, Visibility
from atlas.maps.models import SavedView
from atlas.search import pictures
from atlas.search.models import QueryPicture, SavedSearch
from atlas.teams.links import create_link
from tests.callers import opened
from tests.people import Cast, client_of
from tests.search.queries import ask, colours_of, parts, post, red_picture

pytestmark = pytest.mark.django_db


def send(cast: Cast, dataset: Dataset, picture: str, name: str | None = "alice") -> Any:
    return post(cast, f"/api/datasets/{dataset.pk}/query-pictures", {"picture": picture}, name)


def kept(cast: Cast, dataset: Dataset, picture: str | None = None) -> str:
    key: str = send(cast, dataset, picture or red_picture()).json()["key"]
    return key


def look(cast: Cast, key: str, name: str | None = "alice") -> Any:
    return client_of(getattr(cast, name) if name else None).get(f"/api/query-pictures/{key}")


def filled(colour: str) -> str:
    file = io.BytesIO()
    Image.new("RGB", (900, 30), colour).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def saved(dataset_id: UUID, key: str, cast: Cast) -> None:
    SavedSearch.objects.create(
        dataset_id=dataset_id, created_by=cast.alice, name="A", query=f"p=-2*picture:{key}"
    )


def test_its_key_searches_as_the_picture_does(cast: Cast, dataset: Dataset) -> None:
    key = kept(cast, dataset)

    by_key = ask(cast, dataset, parts({"picture_key": key}, against="pictures"))

    assert colours_of(by_key, 8) == {"red"}
    across = post(cast, "/api/search", parts({"picture_key": key})).json()
    assert [group["dataset"]["id"] for group in across["groups"]] == [str(dataset.pk)]


def test_pictures_are_decoded_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = Lock()

    def shrunk(*_: object) -> bytes:
        assert alone.acquire(blocking=False)
        time.sleep(0.02)
        alone.release()
        return b"small"

    monkeypatch.setattr(pictures, "shrunk", shrunk)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(pictures._small, [b"large"] * 8)) == [b"small"] * 8


def test_the_same_picture_has_the_same_key_and_is_kept_once(cast: Cast, dataset: Dataset) -> None:
    assert kept(cast, dataset) == kept(cast, dataset)
    assert QueryPicture.objects.count() == 1


def test_it_is_kept_small_and_given_back_as_nothing_but_a_picture(cast: Cast, dataset: Dataset) -> None:
    answer = look(cast, kept(cast, dataset, filled("red")))

    assert Image.open(io.BytesIO(answer.content)).size == (384, 13)
    assert answer["Content-Type"] == "image/webp"
    assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("name", "status"), [("alice", 200), ("bob", 200), ("victor", 200), ("charlie", 404), (None, 404)]
)
def test_only_who_sees_the_dataset_finds_it(
    cast: Cast, dataset: Dataset, name: str | None, status: int
) -> None:
    key = kept(cast, dataset)

    assert look(cast, key, name).status_code == status
    assert send(cast, dataset, red_picture(), name).status_code == (201 if status == 200 else 404)


def test_a_key_of_another_teams_dataset_searches_as_one_that_never_was(cast: Cast, dataset: Dataset) -> None:
    foreign = Dataset.objects.get(team__members=cast.charlie)
    key = kept(cast, dataset)

    answer = ask(cast, foreign, parts({"picture_key": key}), "charlie")

    assert answer.status_code == 422
    assert answer.content == ask(cast, foreign, parts({"picture_key": "0" * 32}), "charlie").content


def test_a_visitor_by_link_keeps_one_and_searches_with_it(cast: Cast, dataset: Dataset) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(visibility=Visibility.LINK)
    visitor = opened(create_link(dataset.pk, cast.alice))
    address = f"/api/datasets/{dataset.pk}"

    key = visitor.post(
        f"{address}/query-pictures", {"picture": red_picture()}, content_type="application/json"
    ).json()["key"]

    found = visitor.post(
        f"{address}/search", parts({"picture_key": key}, against="pictures"), content_type="application/json"
    )
    assert colours_of(found, 8) == {"red"}


def test_what_nobody_signed_in_has_sent_goes_after_a_day_and_pushes_out_none_of_others(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(visibility=Visibility.PUBLIC)
    monkeypatch.setattr(pictures, "MOST_PICTURES", 1)
    monkeypatch.setattr(pictures, "MOST_NAMELESS", 2)
    theirs = kept(cast, dataset, filled("red"))
    strangers = [
        send(cast, dataset, filled(colour), None).json()["key"] for colour in ("blue", "green", "white")
    ]
    send(cast, dataset, filled("red"), None)
    assert [look(cast, key).status_code for key in (theirs, *strangers)] == [200, 404, 200, 200]

    QueryPicture.objects.update(used_at=timezone.now() - timedelta(days=2))
    look(cast, strangers[2])
    pictures.remove_unused_pictures()
    assert [look(cast, key).status_code for key in (theirs, *strangers)] == [200, 404, 404, 404]


def test_what_somebody_signed_in_sends_too_stays(cast: Cast, dataset: Dataset) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(visibility=Visibility.PUBLIC)
    for name, nameless in ((None, True), ("alice", False), (None, False)):
        send(cast, dataset, red_picture(), name)
        assert QueryPicture.objects.get().nameless is nameless


@pytest.mark.parametrize("content", [b"", b"<svg/>", b"GIF89a broken", b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_what_is_no_picture_is_refused_in_a_sentence(cast: Cast, dataset: Dataset, content: bytes) -> None:
    answer = send(cast, dataset, base64.b64encode(content).decode())

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("The picture of the query cannot be read.")
    assert send(cast, dataset, "not base64!").status_code == 422


@pytest.mark.usefixtures("one_stretch")
def test_more_than_a_minutes_share_is_put_off(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas.search.pictures_api.MOST_PER_MINUTE", 1)

    assert [send(cast, dataset, red_picture(), "bob").status_code for _ in range(3)][-1] == 429


def test_those_that_nobody_looks_at_go_unless_something_saved_names_them(
    cast: Cast, dataset: Dataset
) -> None:
    keys = [kept(cast, dataset, filled(colour)) for colour in ("red", "blue", "green", "white")]
    saved(dataset.pk, keys[1], cast)
    SavedView.objects.create(
        dataset=dataset, created_by=cast.alice, name="A", hash=f"map=image&p=picture%3A{keys[2]}"
    )
    QueryPicture.objects.update(used_at=timezone.now() - timedelta(days=91))
    look(cast, keys[3])

    pictures.remove_unused_pictures()

    assert [look(cast, key).status_code for key in keys] == [404, 200, 200, 200]


def test_in_a_full_dataset_the_oldest_gives_way(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MOST_PICTURES", 2)
    keys = [kept(cast, dataset, filled("red"))]
    saved(dataset.pk, keys[0], cast)
    keys += [kept(cast, dataset, filled(colour)) for colour in ("blue", "green")]

    assert [look(cast, key).status_code for key in keys] == [200, 404, 200]


def test_it_goes_with_its_dataset(cast: Cast, dataset: Dataset) -> None:
    key = kept(cast, dataset)

    Dataset.objects.filter(pk=dataset.pk).delete()

    assert look(cast, key).status_code == 404
    assert not QueryPicture.objects.exists()


@pytest.mark.parametrize("key", ["%00", "a" * 31, "A" * 32, "..", "%F0%9F%8D%8E", "0" * 32 + "%0A"])
def test_what_is_no_key_names_no_picture(cast: Cast, dataset: Dataset, key: str) -> None:
    assert client_of(cast.alice).get(f"/api/query-pictures/{key}").status_code == 404
