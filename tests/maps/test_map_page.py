"""The map page: who may open it, and the config that its script reads."""

import json
import re
from typing import Any

import pytest
from django.utils.html import escape

from atlas.datasets.models import Dataset, Visibility
from atlas.maps import towers
from atlas.maps.progress import published_maps
from tests.maps.building import make_maps
from tests.maps.fake_towers import FakeModel
from tests.maps.records import add_records, make_dataset
from tests.people import Cast, client_of

pytestmark = pytest.mark.django_db(transaction=True)

Name = str | None


@pytest.fixture
def dataset(cast: Cast) -> Dataset:
    return make_dataset(cast.team)


def config(content: str) -> Any:
    found = re.search(r'<script id="config" type="application/json">(.*?)</script>', content, re.DOTALL)
    assert found
    return json.loads(found[1])


@pytest.mark.parametrize(
    ("name", "status"), [("alice", 200), ("bob", 200), ("victor", 200), ("charlie", 404), (None, 404)]
)
def test_the_team_opens_the_map_of_a_private_dataset(
    cast: Cast, dataset: Dataset, name: Name, status: int
) -> None:
    response = client_of(getattr(cast, name) if name else None).get(f"{dataset.get_absolute_url()}/map")

    assert response.status_code == status


def test_everybody_opens_the_map_of_a_public_dataset(cast: Cast, dataset: Dataset) -> None:
    Dataset.objects.update(visibility=Visibility.PUBLIC)

    for person in (cast.victor, cast.charlie, None):
        assert client_of(person).get(f"{dataset.get_absolute_url()}/map").status_code == 200


def test_the_page_holds_what_its_script_needs(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(towers, "model", lambda _: FakeModel())
    Dataset.objects.update(name="</script><b>", description="Painted <i>by hand</i>.")
    add_records(dataset, 5, captions=True)
    make_maps(dataset.pk)

    content = client_of(cast.bob).get(f"{dataset.get_absolute_url()}/map").content.decode()

    [shown] = published_maps(dataset.pk)
    assert config(content) == {
        "dataset": {
            "id": str(dataset.pk),
            "name": "</script><b>",
            "description": "Painted <i>by hand</i>.",
            "team": "Alice",
            "url": dataset.get_absolute_url(),
            "slug": dataset.slug,
            "visibility": "private",
            "record_count": 5,
            "row_count": 5,
            "columns": [{"name": "colour", "type": "category"}, {"name": "size", "type": "number"}],
            "may_edit": True,
            "may_tag": True,
            "may_comment": True,
            "may_share": False,
            "hide_originals": False,
            "hide_captions": False,
            "share_url": None,
        },
        "maps": [shown],
        "embedded": False,
        "signed_in": True,
        "search_urls": False,
        "start": "",
    }
    assert escape("</script><b>") in content
    assert f'href="{shown["base_url"]}manifest.json"' in content


def test_the_page_says_whose_it_is(cast: Cast, dataset: Dataset) -> None:
    Dataset.objects.update(visibility=Visibility.PUBLIC)
    address = f"{dataset.get_absolute_url()}/map"

    assert f'data-person="{cast.bob.pk}"' in client_of(cast.bob).get(address).content.decode()
    assert "data-person" not in client_of(None).get(address).content.decode()


def test_a_viewer_may_not_edit(cast: Cast, dataset: Dataset) -> None:
    content = client_of(cast.victor).get(f"{dataset.get_absolute_url()}/map").content.decode()

    told = config(content)["dataset"]
    assert isinstance(told, dict)
    assert told["may_edit"] is False


def test_a_dataset_without_a_map_has_the_page_too(cast: Cast, dataset: Dataset) -> None:
    content = client_of(cast.alice).get(f"{dataset.get_absolute_url()}/map").content.decode()

    assert config(content)["maps"] == []
