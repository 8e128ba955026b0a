"""PATCH /api/datasets/<id>"""

import json
from typing import Any

import pytest

from atlas.datasets.change import change_dataset
from atlas.datasets.models import Dataset, Event
from tests.people import Cast, client_of


def patch(cast: Cast, dataset: Dataset, **body: Any) -> Any:
    return client_of(cast.alice).patch(
        f"/api/datasets/{dataset.pk}", json.dumps(body), content_type="application/json"
    )


def test_it_changes_what_is_given_and_keeps_the_address(cast: Cast, fruit: Dataset) -> None:
    body = patch(cast, fruit, name=" Pears ", visibility="public").json()
    assert (body["name"], body["visibility"], body["url"]) == ("Pears", "public", "/data/alice/fruit")
    fruit.refresh_from_db()
    assert (fruit.name, fruit.visibility, fruit.description) == ("Pears", "public", "")


def test_the_activity_tells_all_that_was_changed_at_once(cast: Cast, fruit: Dataset) -> None:
    patch(cast, fruit, name="Pears", visibility="public")
    told = Event.objects.filter(dataset=fruit, verb__in=("renamed", "shared")).values_list("text", flat=True)
    assert set(told) == {"renamed it to Pears", "made it public"}


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "  "},
        {"name": "\x1c"},
        {"name": "x" * 121},
        {"name": "a\0"},
        {"name": "a\ud800b"},
        {"description": "a\ud800b"},
        {"visibility": "all"},
    ],
)
def test_it_refuses_nonsense(cast: Cast, fruit: Dataset, body: dict[str, Any]) -> None:
    assert patch(cast, fruit, **body).status_code == 422


def test_who_saves_a_page_opened_earlier_makes_nothing_public_again(cast: Cast, fruit: Dataset) -> None:
    Dataset.objects.filter(pk=fruit.pk).update(visibility="public")
    opened = Dataset.objects.get(pk=fruit.pk)
    patch(cast, fruit, visibility="private")
    change_dataset(opened, name="Pears", description="Ripe")
    fruit.refresh_from_db()
    assert (fruit.name, fruit.description, fruit.visibility) == ("Pears", "Ripe", "private")


def test_a_name_of_several_lines_is_one_line(cast: Cast, fruit: Dataset) -> None:
    assert patch(cast, fruit, name="Pears\nand\tplums").json()["name"] == "Pears and plums"
