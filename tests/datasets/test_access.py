"""Who may call what: every endpoint of datasets, as everybody, on private and public ones."""

import re

import pytest
from django.test import Client

from atlas.datasets.api import router
from atlas.datasets.models import Dataset, Visibility
from tests.people import Cast, client_of

EVERYBODY = ("alice", "bob", "victor", "charlie", "nobody")
JSON = "application/json"

#: Path below /api/datasets/<id>, and the status for those who may.
READING = {
    "": 200,
    "/imports": 200,
    "/imports/{job}": 200,
    "/imports/{job}/skipped": 200,
    "/imports/{job}/report.csv": 200,
    "/records?rows=0,1": 200,
    "/records/1": 200,
    "/records/1/thumbnail": 200,
    "/records/1/original": 200,
}
WRITING = {
    ("PATCH", "", '{"name": "New"}'): 200,
    ("POST", "/imports", '{"uploads": ["00000000-0000-4000-8000-000000000000"]}'): 404,
    ("POST", "/imports/{job}/start", '{"choices": {}}'): 409,
    ("POST", "/imports/{job}/cancel", ""): 409,
    ("POST", "/imports/{job}/retry", ""): 409,
    ("POST", "/imports/{job}/review", ""): 409,
}
OWNING = {
    ("PATCH", "", '{"visibility": "public"}'): 200,
    ("DELETE", "", ""): 202,
}


def browser(cast: Cast, who: str) -> Client:
    return client_of(None if who == "nobody" else getattr(cast, who))


def address(dataset: Dataset, path: str) -> str:
    return f"/api/datasets/{dataset.pk}{path}".replace("{job}", str(dataset.imports.get().pk))


@pytest.mark.parametrize("path", READING)
def test_only_the_team_reads_a_private_dataset(cast: Cast, fruit: Dataset, path: str) -> None:
    for who in EVERYBODY:
        response = browser(cast, who).get(address(fruit, path))
        assert response.status_code == (READING[path] if who in ("alice", "bob", "victor") else 404), who


@pytest.mark.parametrize("path", READING)
def test_everybody_reads_a_public_dataset(cast: Cast, fruit: Dataset, path: str) -> None:
    Dataset.objects.update(visibility=Visibility.PUBLIC)
    for who in EVERYBODY:
        assert browser(cast, who).get(address(fruit, path)).status_code == READING[path], who


@pytest.mark.parametrize("call", WRITING, ids=lambda call: f"{call[0]} {call[1] or '/'}")
def test_only_owners_and_editors_change_it_even_when_it_is_public(
    cast: Cast, fruit: Dataset, call: tuple[str, str, str]
) -> None:
    Dataset.objects.update(visibility=Visibility.PUBLIC)
    method, path, body = call
    for who in ("nobody", "charlie", "victor"):
        response = browser(cast, who).generic(method, address(fruit, path), body, content_type=JSON)
        assert response.status_code == 404, who
        assert response.json()["detail"] == "There is no such dataset that you may change."
    response = browser(cast, "bob").generic(method, address(fruit, path), body, content_type=JSON)
    assert response.status_code == WRITING[call]


@pytest.mark.parametrize("call", OWNING, ids=lambda call: f"{call[0]} {call[1] or '/'}")
def test_only_owners_share_and_delete_it(cast: Cast, fruit: Dataset, call: tuple[str, str, str]) -> None:
    method, path, body = call
    for who in ("nobody", "charlie", "victor", "bob"):
        response = browser(cast, who).generic(method, address(fruit, path), body, content_type=JSON)
        assert response.status_code == 404, who
        assert response.json()["detail"] == "There is no such dataset of yours."
    response = browser(cast, "alice").generic(method, address(fruit, path), body, content_type=JSON)
    assert response.status_code == OWNING[call]


@pytest.mark.parametrize("call", [*WRITING, *OWNING], ids=lambda call: f"{call[0]} {call[1] or '/'}")
def test_no_change_without_the_csrf_token(cast: Cast, fruit: Dataset, call: tuple[str, str, str]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice)
    assert client.generic(call[0], address(fruit, call[1]), call[2], content_type=JSON).status_code == 403


@pytest.mark.parametrize("path", [*READING, *(path for _, path, _ in WRITING)])
def test_a_deleted_dataset_does_not_exist(cast: Cast, fruit: Dataset, path: str) -> None:
    Dataset.objects.update(visibility=Visibility.PUBLIC, deleting=True)
    assert browser(cast, "alice").get(address(fruit, path)).status_code in (404, 405)


def test_a_record_of_another_dataset_is_not_found_through_ones_own(cast: Cast, fruit: Dataset) -> None:
    theirs = Dataset.objects.create(team=cast.charlie.teams.get(), name="Empty", slug="empty", model="mini")
    job = fruit.imports.get()
    charlie = browser(cast, "charlie")
    assert charlie.get(f"/api/datasets/{theirs.pk}/records/1").status_code == 404
    assert charlie.get(f"/api/datasets/{theirs.pk}/imports/{job.pk}").status_code == 404
    assert charlie.get(f"/api/datasets/{theirs.pk}/imports/{job.pk}/report.csv").status_code == 404


def test_this_file_knows_every_endpoint_of_datasets() -> None:
    listed: set[tuple[str, str | None]] = {("GET", path.partition("?")[0]) for path in READING}
    listed |= {(method, path) for method, path, _ in (*WRITING, *OWNING)}
    listed |= {("GET", None), ("POST", None)}  # the list and the creation have files of their own
    known = set()
    for path, view in router.path_operations.items():
        short = re.sub(r"/{\w+:dataset_id}", "", path)
        short = re.sub(r"{\w+:import_id}", "{job}", short).replace("{int:row}", "1")
        methods = {method for operation in view.operations for method in operation.methods}
        known |= {(method, short if path else None) for method in methods}
    assert known == listed
