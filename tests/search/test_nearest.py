from typing import Any

import pytest

from atlas.datasets.models import Dataset
from atlas.maps import vectors
from atlas.maps.models import DataMap, Space
from atlas.search import asking
from atlas.search.nearest import nearest
from atlas.search.replies import WorkerAwayError
from tests.people import Cast, client_of
from tests.search.queries import COUNT

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("space", Space)
@pytest.mark.parametrize("row", [0, 7, COUNT - 1])
def test_the_scan_finds_what_postgres_finds(dataset: Dataset, space: Space, row: int) -> None:
    scanned = nearest(dataset.pk, space, row, COUNT, 12)
    expected = vectors.neighbours(dataset.pk, space, row, COUNT, COUNT)[:12]

    assert [score for _, score in scanned] == pytest.approx([score for _, score in expected], abs=1e-3)
    assert row not in dict(scanned)


def test_a_record_beyond_the_map_has_no_neighbours(dataset: Dataset) -> None:
    assert nearest(dataset.pk, Space.IMAGE, COUNT + 3, COUNT, 5) == []


def test_neighbours_are_found_without_the_query_worker_too(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = DataMap.objects.get(dataset=dataset, space=Space.IMAGE)
    address = f"/api/maps/{shown.pk}/records/3/neighbours?k=5"
    with_worker = client_of(cast.alice).get(address).json()["records"]

    def away(*_: Any, **__: Any) -> None:
        raise WorkerAwayError

    monkeypatch.setattr(asking, "ask", away)
    without = client_of(cast.alice).get(address).json()["records"]

    scores = [each["score"] for each in with_worker]
    assert len(scores) == 5
    assert scores == pytest.approx([each["score"] for each in without], abs=1e-3)
