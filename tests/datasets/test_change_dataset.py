"""PATCH /api/datasets/<id>"""

import json
from typing import Any

import pytest

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
    "body", [{"name": ""}, {"name": "  "}, {"name": "x" * 121}, {"name": "a\0"}, {"visibility": "all"}]
)
def test_it_refuses_nonsense(cast: Cast, fruit: Dataset, body: dict[str, Any]) -> None:
    assert patch(cast, fruit, **body).status_code == 422
