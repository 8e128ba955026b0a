"""Starting, stopping and retrying builds over HTTP: who may, and what the answers are."""

import json
from typing import Any

import pytest
from django.test import Client

from atlas.datasets.models import Dataset, State, Visibility
from atlas.maps.build import create_build
from atlas.maps.models import Build
from tests.maps.building import make_maps, sent_steps, work_off
from tests.maps.records import add_records, make_dataset
from tests.people import Cast, client_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake")]

Name = str | None


@pytest.fixture
def dataset(cast: Cast) -> Dataset:
    """Public: who may look may still not change."""
    dataset = make_dataset(cast.team, visibility=Visibility.PUBLIC)
    add_records(dataset, 6, pictures=True, captions=True)
    return dataset


def post(cast: Cast, dataset: Dataset, path: str, name: Name = "alice", body: object = None) -> Any:
    client = client_of(getattr(cast, name) if name else None)
    url = f"/api/datasets/{dataset.pk}/{path}"
    return client.post(url, json.dumps(body), content_type="application/json")


@pytest.mark.parametrize(
    ("name", "status"), [("alice", 200), ("bob", 200), ("victor", 404), ("charlie", 404), (None, 404)]
)
def test_editors_may_build(cast: Cast, dataset: Dataset, name: Name, status: int) -> None:
    assert post(cast, dataset, "build", name, {"anew": True}).status_code == status

    assert Build.objects.filter(state=State.QUEUED).exists() == (status == 200)


@pytest.mark.parametrize("path", ["build/cancel", "build/retry"])
@pytest.mark.parametrize("name", ["victor", "charlie", None])
def test_who_may_not_edit_stops_and_retries_nothing(
    cast: Cast, dataset: Dataset, path: str, name: Name
) -> None:
    build = create_build(dataset.pk, append=False)

    assert post(cast, dataset, path, name).status_code == 404
    build.refresh_from_db()
    assert build.state == State.QUEUED


def test_a_build_says_how_far_it_is(cast: Cast, dataset: Dataset) -> None:
    answer = post(cast, dataset, "build", body={"anew": True}).json()["build"]

    assert (answer["build"]["state"], answer["build"]["append"]) == ("queued", False)
    assert [(each["stage"], each["space"]) for each in answer["stages"]] == [
        ("embed", "image"), ("embed", "caption"),
        ("project", "image"), ("topics", "image"), ("tiles", "image"),
        ("project", "caption"), ("topics", "caption"), ("tiles", "caption"),
        ("project", "joint"), ("topics", "joint"), ("tiles", "joint"),
        ("publish", None),
    ]  # fmt: skip
    assert {each["state"] for each in answer["stages"]} == {"queued"}

    work_off(Build.objects.get(pk=answer["build"]["id"]))

    after = client_of(cast.alice).get(f"/api/datasets/{dataset.pk}/progress").json()["build"]
    assert {each["state"] for each in after["stages"]} == {"done"}
    assert all(each["done"] == each["total"] for each in after["stages"])
    assert {each["number"] for each in after["maps"]} == {1}


def test_a_second_build_is_refused_with_a_sentence(cast: Cast, dataset: Dataset) -> None:
    post(cast, dataset, "build", body={})

    answer = post(cast, dataset, "build", body={})

    assert answer.status_code == 409
    assert answer.json() == {"detail": "A build of this dataset is running already."}


def test_cancel_stops_the_build_once(cast: Cast, dataset: Dataset) -> None:
    post(cast, dataset, "build", body={})

    assert post(cast, dataset, "build/cancel").json()["build"]["build"]["state"] == "cancelled"
    assert post(cast, dataset, "build/cancel").status_code == 409


def test_retry_goes_on_with_a_failed_build(cast: Cast, dataset: Dataset) -> None:
    make_maps(dataset.pk)
    assert post(cast, dataset, "build/retry").status_code == 409  # it did not fail
    build = create_build(dataset.pk, append=False)
    build.steps.filter(pk=sent_steps(build)[0].pk).update(state=State.FAILED, attempts=3)
    Build.objects.filter(pk=build.pk).update(state=State.FAILED, error="No.")

    assert post(cast, dataset, "build/retry").json()["build"]["build"]["state"] == "running"
    assert work_off(build).state == State.DONE


def test_a_dataset_without_a_build_has_nothing_to_stop(cast: Cast, dataset: Dataset) -> None:
    dataset = make_dataset(cast.team)

    assert post(cast, dataset, "build/cancel").status_code == 404
    assert post(cast, dataset, "build", body={}).status_code == 409
    progress = client_of(cast.alice).get(f"/api/datasets/{dataset.pk}/progress").json()
    assert progress["build"] == {"kind": "build", "build": None, "stages": [], "maps": []}


def test_requests_of_other_sites_start_no_build(cast: Cast, dataset: Dataset) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.alice)

    url = f"/api/datasets/{dataset.pk}/build"
    assert strict.post(url, "{}", content_type="application/json").status_code == 403
