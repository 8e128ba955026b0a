"""GET /search: the page that asks all datasets."""

import pytest
from django.test import override_settings

from atlas.datasets.models import Dataset, Visibility
from tests.people import Cast, client_of

pytestmark = pytest.mark.django_db


def page(cast: Cast, name: str | None = "alice") -> str:
    return client_of(getattr(cast, name) if name else None).get("/search").content.decode()


def test_it_counts_what_each_may_search(cast: Cast, dataset: Dataset) -> None:
    assert "the one dataset that you may see" in page(cast)

    Dataset.objects.update(visibility=Visibility.PUBLIC)

    assert "all 2 datasets that you may see" in page(cast)
    assert "all 2 datasets that you may see" in page(cast, None)


def test_a_dataset_without_a_map_is_nothing_to_search(cast: Cast, dataset: Dataset) -> None:
    dataset.maps.update(current=None)

    assert "Nothing to search yet" in page(cast)
    assert 'id="search"' not in page(cast)


def test_nobody_is_asked_to_sign_in_where_nothing_is_public(cast: Cast, dataset: Dataset) -> None:
    assert "No dataset is public. Sign in" in page(cast, None)


def test_its_script_knows_whether_the_server_fetches_addresses(cast: Cast, dataset: Dataset) -> None:
    assert "data-urls" not in page(cast)
    with override_settings(ATLAS_SEARCH_URLS=True):
        assert "data-urls" in page(cast)
