"""Columns that a build computes, over HTTP: filters, table, export, and what an append makes of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django import DjangoDbBlocker, Settings

from atlas.datasets.models import Dataset, Record, original_name, thumbnail_name
from atlas.maps import computed, towers
from atlas.maps.models import DataMap, MapVersion
from tests.maps.building import make_maps
from tests.maps.fake_towers import FakeModel
from tests.maps.records import COLOURS, add_records, make_dataset
from tests.maps.shared_world import shared_cast
from tests.people import Cast, client_of, content_of

pytestmark = pytest.mark.django_db

COUNT = 40
#: Rows whose captions speak of other colours, and a row that has the picture of another byte for byte.
WRONG = [3, 12, 29]
TWIN, OF = 20, 4


@dataclass
class World:
    cast: Cast
    dataset: Dataset
    #: Without pictures.
    texts: Dataset
    maps: dict[str, DataMap] = field(default_factory=dict)

    def ask(self, url: str, body: Any, dataset: Dataset | None = None) -> Any:
        url = f"/api/datasets/{(dataset or self.dataset).pk}/{url}"
        return client_of(self.cast.alice).post(url, body, content_type="application/json")

    def rows(self, part: dict[str, Any]) -> list[int]:
        content = {"map": str(self.maps["image"].pk), **part}
        answer = self.ask("table", {"filter": content, "limit": 500})
        assert answer.status_code == 200, answer.content
        return [record["row"] for record in answer.json()["records"]]

    def sorted(self, sort: str, space: str = "image") -> list[dict[str, Any]]:
        body = {"sort": sort, "by": "computed", "map": str(self.maps[space].pk), "limit": 500}
        found: list[dict[str, Any]] = self.ask("table", body).json()["records"]
        return found


def share_picture(dataset: Dataset, row: int, of: int) -> None:
    sha256 = dataset.records.get(row=of).sha256
    Record.objects.filter(dataset=dataset, row=row).update(sha256=sha256)


def maps_of(dataset: Dataset) -> dict[str, DataMap]:
    found = DataMap.objects.filter(dataset=dataset).select_related("current__map__dataset")
    return {each.space: each for each in found}


def shown(data_map: DataMap) -> MapVersion:
    assert data_map.current is not None
    return data_map.current


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with shared_cast(django_db_blocker, tmp_path_factory) as cast:
        dataset = make_dataset(cast.team)
        add_records(dataset, COUNT, pictures=True, captions=True)
        for row in WRONG:
            Record.objects.filter(dataset=dataset, row=row).update(caption=f"{COLOURS[row % 8 - 3]} thing")
        share_picture(dataset, TWIN, OF)
        dataset.columns = [*dataset.columns, {"name": "Agreement", "type": "number"}]
        dataset.save()
        Record.objects.filter(dataset=dataset).update(values={"Agreement": 7})
        make_maps(dataset.pk)
        texts = make_dataset(cast.team)
        add_records(texts, 6, captions=True)
        for row, caption in ((1, "Red  apple"), (4, "red apple")):
            Record.objects.filter(dataset=texts, row=row).update(caption=caption)
        make_maps(texts.pk)
        yield World(cast, dataset, texts, maps_of(dataset))


@pytest.fixture(autouse=True)
def home() -> None:
    """The folder is that of the world."""


@pytest.mark.parametrize("space", ["image", "caption", "joint"])
def test_the_wrong_captions_come_first_on_every_map(world: World, space: str) -> None:
    records = world.sorted("agreement", space)

    assert sorted(record["row"] for record in records[: len(WRONG)]) == WRONG
    scores = [record["computed"]["agreement"] for record in records]
    assert scores == sorted(scores)
    assert [record["row"] for record in world.sorted("-agreement", space)[-len(WRONG) :]] == [
        record["row"] for record in reversed(records[: len(WRONG)])
    ]


def test_a_range_of_agreement_is_a_filter(world: World) -> None:
    records = world.sorted("agreement")
    cut = (records[2]["computed"]["agreement"] + records[3]["computed"]["agreement"]) / 2

    assert world.rows({"computed": "agreement", "to": cut}) == WRONG
    assert len(world.rows({"computed": "agreement", "from": cut})) == COUNT - len(WRONG)


def test_a_dataset_is_exported_without_its_copies(world: World) -> None:
    copies = {"computed": "duplicates", "map": str(world.maps["image"].pk), "in": ["Copy"]}

    answer = world.ask("export", {"filter": {"not": copies}, "format": "jsonl", "map": copies["map"]})

    records = {each["row"]: each for each in map(json.loads, content_of(answer).decode().splitlines())}
    assert sorted(records) == [row for row in range(COUNT) if row != TWIN]
    assert records[OF]["duplicates"] == "Original"
    assert (records[OF]["duplicate_of"], records[OF]["alike"]) == (OF, 2)
    assert (records[0]["duplicates"], records[0]["duplicate_of"], records[0]["alike"]) == ("Unique", 0, 1)
    assert 0 <= records[0]["trust"] <= 1


def test_a_column_of_the_same_name_keeps_its_place(world: World) -> None:
    answer = world.ask("export", {"format": "jsonl", "map": str(world.maps["image"].pk)})
    first = json.loads(content_of(answer).decode().splitlines()[0])
    columns = json.loads((shown(world.maps["image"]).folder / "manifest.json").read_text())["columns"]

    assert first["Agreement"] == 7
    assert first["atlas_agreement"] != 7
    assert [
        (each["key"], each.get("computed", False)) for each in columns if each["name"] == "Agreement"
    ] == [
        ("own-agreement", False),
        ("agreement", True),
    ]


def test_groups_are_chosen_whole_and_stay_together_in_the_table(world: World) -> None:
    assert world.rows({"computed": "duplicate_of", "in": [OF]}) == [OF, TWIN]
    assert world.rows({"computed": "alike", "from": 2}) == [OF, TWIN]
    assert [record["row"] for record in world.sorted("-duplicates")[:2]] == [OF, TWIN]


def test_the_map_is_coloured_by_them(world: World) -> None:
    for space in ("image", "caption", "joint"):
        folder = shown(world.maps[space]).folder
        columns = json.loads((folder / "manifest.json").read_text())["columns"]
        assert [each["key"] for each in columns if each.get("computed")] == [
            "trust",
            "outlier",
            "agreement",
            "duplicates",
        ]
        listed = json.loads((folder / "c/duplicates/values.json").read_text())
        counted = dict(zip(listed["values"], listed["counts"], strict=True))
        assert counted == {"Unique": COUNT - 2, "Original": 1, "Copy": 1}


def test_without_pictures_the_same_words_are_copies_and_nothing_agrees(world: World) -> None:
    data_map = maps_of(world.texts)["caption"]
    body = {"sort": "-duplicates", "by": "computed", "map": str(data_map.pk)}

    records = world.ask("table", body, world.texts).json()["records"]

    assert [(each["row"], each["computed"]["duplicates"]) for each in records[:3]] == [
        (1, "Original"), (4, "Copy"), (0, "Unique"),
    ]  # fmt: skip
    assert "agreement" not in records[0]["computed"]


@pytest.mark.parametrize(
    "what",
    [
        {"computed": "agreement"},
        {"computed": "agreement", "from": "low"},
        {"computed": "agreement", "in": 3},
        {"computed": "agreement", "in": [1], "to": 2},
        {"computed": "duplicates", "in": ["copy"]},
        {"computed": "duplicates", "from": 1},
        {"computed": "../../x", "from": 1},
        {"computed": ["agreement"], "from": 1},
        {"computed": "agreement", "contains": "x"},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_in_words(world: World, what: dict[str, Any]) -> None:
    answer = world.ask("table", {"filter": {"map": str(world.maps["image"].pk), **what}})

    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_a_map_is_named_and_has_the_column(world: World) -> None:
    other = str(maps_of(world.texts)["caption"].pk)

    assert world.ask("table", {"sort": "agreement", "by": "computed"}).status_code == 422
    assert world.ask("table", {"filter": {"computed": "trust", "from": 0}}).status_code == 422
    body = {"sort": "agreement", "by": "computed", "map": other}
    assert world.ask("table", body, world.texts).status_code == 422
    wrong = {"filter": {"computed": "trust", "from": 0, "map": other}}
    assert world.ask("table", wrong).status_code == 422


def add_copy(dataset: Dataset, row: int, of: int) -> None:
    """The picture of another record, saved again: by its facts at twice the size."""
    source = dataset.records.get(row=of)
    assert source.thumbnail is not None
    content = default_storage.open(source.thumbnail).read()
    sha256 = f"{row:064}"
    for name in (original_name, thumbnail_name):
        default_storage.save(name(dataset.pk, sha256), ContentFile(content))
    Record.objects.filter(dataset=dataset, row=row).update(sha256=sha256, width=24, height=20)


def test_a_page_of_records_works_out_its_own_words_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[int]] = []
    good = computed.places_of_words

    def places_of_words(rows: np.ndarray, *columns: np.ndarray) -> np.ndarray:
        asked.append(rows.tolist())
        return good(rows, *columns)

    monkeypatch.setattr(computed, "places_of_words", places_of_words)
    cells = computed.computed_of(shown(world.maps["image"]), [TWIN, OF, COUNT])

    assert asked == [[TWIN, OF, COUNT]]
    assert [each["duplicates"] for each in cells] == ["Copy", "Original", None]


@pytest.mark.django_db(transaction=True)
def test_appended_records_join_the_groups_that_are_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Settings
) -> None:
    settings.ATLAS_HOME, settings.MEDIA_ROOT = tmp_path, tmp_path / "media"
    model = FakeModel()
    # One direction for a colour: what is a copy is told by the pictures alone.
    monkeypatch.setattr(
        "tests.maps.fake_towers._vector", lambda colour, _: np.eye(16, dtype="f4")[COLOURS.index(colour)]
    )
    monkeypatch.setattr(towers, "model", lambda _: model)
    dataset = make_dataset()
    add_records(dataset, 12, pictures=True, captions=True)
    add_copy(dataset, 8, of=0)
    make_maps(dataset.pk)
    add_records(dataset, 8, pictures=True, captions=True)
    add_copy(dataset, 16, of=0)
    add_copy(dataset, 19, of=13)
    make_maps(dataset.pk, append=True)

    folder = shown(maps_of(dataset)["image"]).folder
    original, alike, agreement = (
        np.load(folder / "computed" / f"{name}.npy") for name in ("duplicate_of", "alike", "agreement")
    )
    assert original[[0, 8, 16]].tolist() == [8, 8, 8]  # the first of the larger ones
    assert original[[13, 19]].tolist() == [19, 19]
    assert alike[[0, 13]].tolist() == [3, 2]
    assert alike[1] == 1
    assert np.isfinite(agreement).all()
