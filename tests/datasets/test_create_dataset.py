"""POST /api/datasets"""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from atlas.datasets.imports import create_dataset
from atlas.datasets.models import Dataset, Event, Import, ImportState
from atlas.teams.models import AuditEvent, AuditVerb, User
from tests.datasets.material import fruit_zip, uploaded
from tests.people import Cast, client_of


def create(user: User | None, **body: Any) -> Any:
    return client_of(user).post("/api/datasets", json.dumps(body), content_type="application/json")


def test_it_makes_a_dataset_and_begins_its_first_import(cast: Cast) -> None:
    upload = uploaded(cast.alice, "fruit.zip", fruit_zip())
    response = create(cast.alice, name="Fruit", uploads=[str(upload.pk)], description="From the market")
    assert response.status_code == 201
    body = response.json()
    dataset = Dataset.objects.get()
    assert body["id"] == str(dataset.pk)
    assert body["url"] == "/data/alice/fruit"
    assert body["team"] == {"slug": "alice", "name": "Alice"}
    assert (body["name"], body["description"], body["visibility"]) == ("Fruit", "From the market", "private")
    assert body["may_edit"] is True
    assert body["latest_import"]["state"] == "describing"
    assert body["latest_import"]["files"] == [{"filename": "fruit.zip", "size": upload.size}]
    assert Import.objects.get().state == ImportState.DESCRIBING


def test_only_an_owner_makes_one_that_is_shared_from_the_start(cast: Cast) -> None:
    """Of Alice's team, in which Bob edits; in the team of his own he may."""
    for user, team, status in ((cast.bob, "alice", 404), (cast.bob, "bob", 201), (cast.alice, "alice", 201)):
        upload = uploaded(user, "fruit.zip", fruit_zip())
        response = create(user, uploads=[str(upload.pk)], team=team, visibility="public")
        assert response.status_code == status


@pytest.mark.parametrize(("visibility", "lines"), [("public", ["Sesame"]), ("private", [])])
def test_one_that_is_shared_from_the_start_is_written_down(
    cast: Cast, visibility: str, lines: list[str]
) -> None:
    uploads = [str(uploaded(cast.alice, "fruit.zip", fruit_zip()).pk)]
    create(cast.alice, name="Sesame", uploads=uploads, team="alice", visibility=visibility)
    told = AuditEvent.objects.filter(verb=AuditVerb.VISIBILITY_CHANGED).values_list("text", flat=True)
    assert list(told) == [f"“{name}”: public" for name in lines]
    events = Event.objects.filter(verb="shared").values_list("text", flat=True)
    assert list(events) == ["made it public" for _ in lines]


@pytest.mark.parametrize(
    ("filename", "relative_path", "name"),
    [
        ("street_signs.tar.gz", "", "Street signs"),
        ("fruit.zip", "", "Fruit"),
        ("1.png", "My Holiday/day 1/1.png", "My Holiday"),
        (".zip", "", ".zip"),
    ],
)
def test_without_a_name_it_is_called_after_the_file(
    cast: Cast, filename: str, relative_path: str, name: str
) -> None:
    create(cast.alice, uploads=[str(uploaded(cast.alice, filename, b"x", relative_path).pk)])
    assert Dataset.objects.get().name == name


def test_two_of_one_name_get_addresses_of_their_own(cast: Cast) -> None:
    urls = [
        create(cast.alice, name="Fruit", uploads=[str(uploaded(cast.alice, "a.zip", b"x").pk)]).json()["url"]
        for _ in range(2)
    ]
    assert urls == ["/data/alice/fruit", "/data/alice/fruit-2"]


@pytest.mark.parametrize("name", ["日本の花", "---", "✿"])
def test_a_name_without_latin_letters_gets_an_address_too(cast: Cast, name: str) -> None:
    response = create(cast.alice, name=name, uploads=[str(uploaded(cast.alice, "a.zip", b"x").pk)])
    assert response.json()["url"] == "/data/alice/dataset"


def test_an_editor_makes_it_in_the_team_that_was_asked_for(cast: Cast) -> None:
    response = create(cast.bob, name="Fruit", team="alice", uploads=[str(uploaded(cast.bob, "a", b"x").pk)])
    assert response.json()["team"]["slug"] == "alice"


@pytest.mark.parametrize("who", ["victor", "charlie"])
def test_others_cannot_make_it_in_that_team(cast: Cast, who: str) -> None:
    user = getattr(cast, who)
    response = create(user, name="Fruit", team="alice", uploads=[str(uploaded(user, "a", b"x").pk)])
    assert response.status_code == 404
    assert not Dataset.objects.exists()


def test_nobody_must_sign_in(cast: Cast) -> None:
    assert create(None, uploads=[str(uuid4())]).status_code == 401


def test_the_uploads_of_others_do_not_exist(cast: Cast) -> None:
    response = create(cast.bob, uploads=[str(uploaded(cast.alice, "a.zip", b"x").pk)])
    assert response.status_code == 404
    assert response.json() == {"detail": "There is no such upload. It may have expired."}


def test_an_unfinished_upload_is_refused(cast: Cast) -> None:
    upload = uploaded(cast.alice, "a.zip", b"xyz")
    type(upload).objects.update(offset=1)
    response = create(cast.alice, uploads=[str(upload.pk)])
    assert response.status_code == 409
    assert response.json() == {"detail": "a.zip has not been uploaded completely."}
    assert not Dataset.objects.exists()


def test_an_upload_is_imported_once(cast: Cast) -> None:
    upload = str(uploaded(cast.alice, "a.zip", b"x").pk)
    assert create(cast.alice, uploads=[upload]).status_code == 201
    assert create(cast.alice, uploads=[upload]).status_code == 409


def test_many_uploads_are_locked_and_looked_up_at_once(cast: Cast) -> None:
    uploads = [uploaded(cast.alice, f"{number}.png", b"x") for number in range(20)]
    with CaptureQueriesContext(connection) as asked:
        create_dataset(cast.team, "Fruit", cast.alice, uploads)
    assert len(asked) < 20
    locked = [query["sql"] for query in asked if "FOR UPDATE" in query["sql"]]
    assert len(locked) == 1
    assert '"datasets_upload"' in locked[0]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"uploads": []},
        {"uploads": ["no-uuid"]},
        {"uploads": "x"},
        {"uploads": [str(uuid4())], "name": "x" * 121},
        {"uploads": [str(uuid4())], "name": "a\0b"},
        {"uploads": [str(uuid4())], "team": "a\0b"},
        {"uploads": [str(uuid4())], "visibility": "secret"},
    ],
)
def test_it_refuses_nonsense(cast: Cast, body: dict[str, Any]) -> None:
    response = create(cast.alice, **body)
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][0] == "body"
