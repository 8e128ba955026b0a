"""What links keep of a map means the same for as long as its layout is the same, and nothing afterwards."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.utils import timezone

from atlas.datasets.filters import FilterError
from atlas.datasets.models import Dataset
from atlas.datasets.remove import remove_records
from atlas.maps import publish
from atlas.maps.models import MapVersion, Space
from atlas.maps.progress import published_maps
from atlas.maps.selection import ordinals_matching, rows_matching
from atlas.teams.asker import Asker
from tests.maps.building import make_maps, shown, work_off
from tests.maps.records import add_records
from tests.people import client_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake")]


@pytest.fixture
def dataset(dataset: Dataset) -> Dataset:
    add_records(dataset, 60, captions=True)
    make_maps(dataset.pk)
    return dataset


def layout(dataset: Dataset) -> UUID:
    [entry] = published_maps(dataset.pk)
    assert entry["layout"] == str(shown(dataset, Space.CAPTION).layout)
    return UUID(entry["layout"])


def append(dataset: Dataset) -> None:
    add_records(dataset, 10, captions=True)
    make_maps(dataset.pk, append=True)
    dataset.refresh_from_db()


def sweep_old_versions() -> None:
    MapVersion.objects.update(published_at=timezone.now() - 2 * publish.OLD_VERSION_KEPT)
    publish.sweep()


def test_a_layout_stays_over_appends_and_removals_and_ends_with_a_new_one(dataset: Dataset) -> None:
    first = layout(dataset)
    assert first == shown(dataset, Space.CAPTION).pk

    append(dataset)
    assert layout(dataset) == first != shown(dataset, Space.CAPTION).pk

    rows = np.zeros(dataset.row_count, bool)
    rows[3] = True
    remove_records(dataset.pk, rows, Asker(dataset.team.members.get()))
    work_off(dataset.builds.latest("created_at"))
    assert shown(dataset, Space.CAPTION).number == 3
    assert layout(dataset) == first

    make_maps(dataset.pk)
    assert layout(dataset) == shown(dataset, Space.CAPTION).pk != first


def leaves(version: MapVersion) -> list[dict[str, Any]]:
    of = {"map": str(version.map_id), "layout": str(version.layout)}
    return [{"topic": 0, **of}, {"region": [[-9, -9], [0.5, -9], [0.5, 0.5], [-9, 0.5]], **of}]


def test_after_an_append_a_topic_of_a_link_has_the_newcomers_too(dataset: Dataset) -> None:
    [topic, _] = leaves(shown(dataset, Space.CAPTION))
    before = rows_matching(dataset, topic, dataset.row_count).sum()

    append(dataset)
    sweep_old_versions()

    now = {name: each for name, each in topic.items() if name != "layout"}
    found = rows_matching(dataset, topic, dataset.row_count)
    assert found.tolist() == rows_matching(dataset, now, dataset.row_count).tolist()
    assert found.sum() > before


@pytest.mark.parametrize("kind", [0, 1])
def test_a_link_to_a_topic_or_a_region_finds_nothing_else_on_a_map_that_was_made_anew(
    dataset: Dataset, kind: int
) -> None:
    leaf = leaves(shown(dataset, Space.CAPTION))[kind]
    before = rows_matching(dataset, leaf, dataset.row_count)
    assert 0 < before.sum() < len(before)
    make_maps(dataset.pk)
    version = shown(dataset, Space.CAPTION)

    # The same records for as long as its map is kept, on the page of the new one, too.
    assert rows_matching(dataset, leaf, dataset.row_count).tolist() == before.tolist()
    assert ordinals_matching(version, {"not": leaf}).sum() == (~before).sum()
    by_page = {**leaf, "version": str(version.pk)}
    assert rows_matching(dataset, by_page, dataset.row_count).tolist() == before.tolist()

    sweep_old_versions()

    for each in (leaf, by_page):
        with pytest.raises(FilterError, match="of an earlier map"):
            rows_matching(dataset, each, dataset.row_count)
    old = {name: each for name, each in leaf.items() if name != "layout"}
    assert rows_matching(dataset, old, dataset.row_count).any()


def test_a_query_by_a_topic_of_an_earlier_map_is_refused_in_words(dataset: Dataset) -> None:
    [topic, _] = leaves(shown(dataset, Space.CAPTION))
    make_maps(dataset.pk)
    sweep_old_versions()
    client = client_of(dataset.team.members.get())

    def ask(**body: Any) -> Any:
        return client.post(f"/api/datasets/{dataset.pk}/search", body, content_type="application/json")

    answer = ask(parts=[{"text": "red"}], mode="words", filter=topic)
    assert (answer.status_code, "of an earlier map" in answer.json()["detail"]) == (422, True)


def test_a_pin_says_on_which_layout_it_is(dataset: Dataset) -> None:
    version = shown(dataset, Space.CAPTION)
    on = {"map": str(version.map_id), "layout": str(version.layout)}
    pins: list[dict[str, Any]] = [{**on, "x": 0.5, "y": 0.5}, {**on, "region": [[0, 0], [1, 0], [1, 1]]}]
    client = client_of(dataset.team.members.get())
    url = f"/api/datasets/{dataset.pk}/comments"

    for pin in pins:
        made = client.post(url, {"text": "Look", "pin": pin}, content_type="application/json")
        assert (made.status_code, made.json()["pin"]) == (201, pin)
