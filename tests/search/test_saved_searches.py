"""GET/POST /api/datasets/{id}/searches and PATCH/DELETE …/{search}."""

from typing import Any

import pytest
from django.test import Client

from atlas.datasets.models import Dataset, Visibility
from atlas.teams.models import Membership
from tests.people import Cast, client_of
from tests.search.queries import post

pytestmark = pytest.mark.django_db


def save(cast: Cast, dataset: Dataset, who: str | None, **more: Any) -> Any:
    body = {"name": "Red fruit", "query": "q=red+fruit", **more}
    return post(cast, f"/api/datasets/{dataset.pk}/searches", body, who)


def names(cast: Cast, dataset: Dataset, name: str) -> list[str]:
    answer = client_of(getattr(cast, name)).get(f"/api/datasets/{dataset.pk}/searches")
    return [each["name"] for each in answer.json()["searches"]]


def remove(cast: Cast, dataset: Dataset, name: str, search: str) -> int:
    return client_of(getattr(cast, name)).delete(f"/api/datasets/{dataset.pk}/searches/{search}").status_code


def rename(cast: Cast, dataset: Dataset, who: str | None, search: str, name: str = "Berries") -> Any:
    client = client_of(getattr(cast, who) if who else None)
    url = f"/api/datasets/{dataset.pk}/searches/{search}"
    return client.patch(url, {"name": name}, content_type="application/json")


def test_it_is_kept_for_its_maker_alone_unless_shared(cast: Cast, dataset: Dataset) -> None:
    made = save(cast, dataset, "bob")

    assert made.status_code == 201
    assert made.json() | {"id": "", "created_at": ""} == {
        "id": "",
        "name": "Red fruit",
        "query": "q=red+fruit",
        "shared": False,
        "created_by": "Bob",
        "created_at": "",
        "mine": True,
    }
    assert names(cast, dataset, "bob") == ["Red fruit"]
    assert names(cast, dataset, "alice") == []


def test_a_shared_one_is_listed_for_all_and_removed_by_editors(cast: Cast, dataset: Dataset) -> None:
    made = save(cast, dataset, "victor", shared=True).json()["id"]

    assert names(cast, dataset, "alice") == ["Red fruit"]
    assert remove(cast, dataset, "charlie", made) == 404
    assert remove(cast, dataset, "bob", made) == 204
    assert names(cast, dataset, "victor") == []


def test_what_is_not_shared_does_not_exist_for_others(cast: Cast, dataset: Dataset) -> None:
    made = save(cast, dataset, "victor").json()["id"]

    assert remove(cast, dataset, "alice", made) == 404
    assert remove(cast, dataset, "victor", made) == 204


def test_a_viewer_cannot_remove_what_another_shares(cast: Cast, dataset: Dataset) -> None:
    made = save(cast, dataset, "bob", shared=True).json()["id"]

    assert remove(cast, dataset, "victor", made) == 409


def test_who_may_only_look_by_now_removes_their_own_and_no_others(cast: Cast, dataset: Dataset) -> None:
    mine, other = (save(cast, dataset, name, shared=True).json()["id"] for name in ("bob", "alice"))
    Dataset.objects.filter(pk=dataset.pk).update(visibility=Visibility.PUBLIC)
    Membership.objects.filter(team=cast.team, user=cast.bob).delete()

    assert save(cast, dataset, "bob").status_code == 404
    assert remove(cast, dataset, "bob", other) == 409
    assert remove(cast, dataset, "bob", mine) == 204
    assert Client().delete(f"/api/datasets/{dataset.pk}/searches/{other}").status_code == 401


def test_whoever_may_remove_it_may_rename_it_and_nothing_else_of_it_changes(
    cast: Cast, dataset: Dataset
) -> None:
    shared = save(cast, dataset, "victor", shared=True).json()
    own = save(cast, dataset, "victor").json()

    assert rename(cast, dataset, "victor", own["id"]).json() == own | {"name": "Berries"}
    assert rename(cast, dataset, "bob", shared["id"], " Cherries ").json() == shared | {
        "name": "Cherries",
        "mine": False,
    }
    assert names(cast, dataset, "victor") == ["Berries", "Cherries"]
    assert rename(cast, dataset, "alice", own["id"]).status_code == 404
    assert rename(cast, dataset, "charlie", shared["id"]).status_code == 404
    assert rename(cast, dataset, None, shared["id"]).status_code == 401
    bobs = save(cast, dataset, "bob", shared=True).json()["id"]
    assert rename(cast, dataset, "victor", bobs).status_code == 409
    assert names(cast, dataset, "victor") == ["Berries", "Cherries", "Red fruit"]


@pytest.mark.parametrize("name", ["", " ", "x" * 101])
def test_it_always_has_a_name(cast: Cast, dataset: Dataset, name: str) -> None:
    made = save(cast, dataset, "bob").json()["id"]

    assert rename(cast, dataset, "bob", made, name).status_code == 422
    assert names(cast, dataset, "bob") == ["Red fruit"]


@pytest.mark.parametrize(("name", "status"), [("charlie", 404), (None, 401)])
def test_strangers_keep_nothing_here(cast: Cast, dataset: Dataset, name: str | None, status: int) -> None:
    assert save(cast, dataset, name).status_code == status


@pytest.mark.parametrize("body", [{"name": " "}, {"name": "\0"}, {"query": ""}, {"name": "x" * 101}])
def test_a_search_without_sense_is_refused(cast: Cast, dataset: Dataset, body: dict[str, str]) -> None:
    assert save(cast, dataset, "bob", **body).status_code == 422
