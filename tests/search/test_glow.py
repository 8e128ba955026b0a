"""POST /api/maps/{map}/glow."""

import json

import numpy as np
import pytest

from atlas.datasets.models import Dataset
from atlas.maps.models import DataMap, MapVersion
from atlas.search import asking
from tests.people import Cast
from tests.search.queries import COUNT, parts, post
from tests.search.test_best_mode import away

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(dataset: Dataset) -> MapVersion:
    found = DataMap.objects.select_related("current__map").get(dataset=dataset, space="joint").current
    assert found is not None
    return found


def test_each_point_has_its_byte_and_the_relevant_ones_the_upper_half(
    cast: Cast, version: MapVersion
) -> None:
    answer = post(cast, f"/api/maps/{version.map_id}/glow", parts({"text": "red"}))

    glow = np.frombuffer(answer.content, np.uint8)
    rows = np.fromfile(version.folder / "rows.bin", "<u4")
    assert answer["Content-Type"] == "application/octet-stream"
    assert len(glow) == COUNT
    assert set(rows[glow >= 128]) == set(range(0, COUNT, 8))
    assert glow.max() == 255


def test_what_a_filter_leaves_out_is_dark(cast: Cast, version: MapVersion) -> None:
    body = parts({"text": "red"}, filter={"rows": [0, 1]}, version=str(version.pk))

    glow = np.frombuffer(post(cast, f"/api/maps/{version.map_id}/glow", body).content, np.uint8)

    rows = np.fromfile(version.folder / "rows.bin", "<u4")
    assert set(rows[glow > 0]) <= {0, 1}
    assert glow[rows == 0] >= 128


@pytest.mark.parametrize(("name", "status"), [("victor", 200), ("charlie", 404), (None, 404)])
def test_it_is_for_those_who_see_the_map(
    cast: Cast, version: MapVersion, name: str | None, status: int
) -> None:
    assert post(cast, f"/api/maps/{version.map_id}/glow", parts({"row": 1}), name).status_code == status


def test_what_cannot_be_scored_gets_a_sentence(cast: Cast, version: MapVersion) -> None:
    answer = post(cast, f"/api/maps/{version.map_id}/glow", parts({"row": COUNT}))

    assert answer.status_code == 422
    assert str(COUNT) in json.loads(answer.content)["detail"]


def test_without_the_worker_there_is_none(
    cast: Cast, version: MapVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ask", away)

    assert post(cast, f"/api/maps/{version.map_id}/glow", parts({"row": 1})).status_code == 503
