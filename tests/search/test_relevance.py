"""The measure of relevance, on hits that are known."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from atlas.datasets.models import Dataset
from atlas.search.relevance import measure, read_set
from tests.search.queries import COUNT

pytestmark = pytest.mark.django_db

RED, BLUE = list(range(0, COUNT, 8)), list(range(2, COUNT, 8))


def tar(path: Path, groups: list[str]) -> Path:
    with tarfile.open(path, "w") as archive:
        for number, group in enumerate(groups):
            for kind, content in (
                ("jpg", f"{path.name} {number}"),
                ("txt", f"a {group}"),
                ("json", json.dumps({"group": group})),
            ):
                entry = tarfile.TarInfo(f"{number:03}.{kind}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content.encode()))
    return path


def test_the_values_of_a_column_are_the_queries(tmp_path: Path) -> None:
    first = tar(tmp_path / "a.tar", ["wild-cat"] * 5 + ["dog"] * 4 + ["house"] * 30)
    second = tar(tmp_path / "b.tar", ["dog"] * 1)

    items, asked = read_set(f"{first},{second}:group")

    assert len(items.captions) == len(items.pictures) == 40
    assert asked == [("dog", [5, 6, 7, 8, 39]), ("wild cat", [0, 1, 2, 3, 4])]


def test_a_file_may_have_the_queries(tmp_path: Path) -> None:
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"query": "a house", "hits": [1, 2]}\n')

    items, asked = read_set(f"{tar(tmp_path / 'a.tar', ['dog', 'house', 'house'])}:{queries}")

    assert items.captions == ["a dog", "a house", "a house"]
    assert asked == [("a house", [1, 2])]


def test_what_is_right_gets_full_marks(dataset: Dataset) -> None:
    figures = measure(dataset, [("red", RED), ("blue", BLUE)])

    assert figures["F1 cut"] == figures["F1 flat"] == figures["perfect"] == figures["F1 best"] == 1
    assert figures["F1 top 50"] == pytest.approx(2 * 8 / 58)
    assert figures["p@10 meaning"] == pytest.approx(0.8)
    assert figures["recall words"] == 1
    assert figures["similar F1 cut"] == figures["similar perfect"] == 1
    assert figures["similar F1 top 50"] == pytest.approx(2 * 7 / 57)


def test_what_is_wrong_gets_none(dataset: Dataset) -> None:
    figures = measure(dataset, [("red", BLUE)])

    assert figures["F1 cut"] == figures["p@10 best"] == figures["recall words"] == 0
    assert 0 < figures["perfect"] < 0.5
