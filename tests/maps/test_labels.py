"""Labels: no two boxes meet at any zoom, coarse ones come first, and labels.json says what FORMAT.md says."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from atlas.maps.labels import Label, make_labels, write_labels
from atlas.maps.tiles import Frame
from atlas.maps.topic import Topic

FRAME = Frame(0, 0, 100)
ZOOMS = [0.3, 0.7, 1, 1.9, 4, 11, 37, 150, 900, 20_000]


def topic(at: int, x: float, y: float, **more: object) -> Topic:
    given = {
        "level": 0,
        "parent": None,
        "name": f"topic {at}",
        "radius": 1.0,
        "count": 100 - at,
        "row": at,
    } | more
    return Topic(id=at, x=x, y=y, **given)  # type: ignore[arg-type]


def crowd(n: int = 120, seed: int = 0) -> list[Topic]:
    random = np.random.default_rng(seed)
    made = []
    for at in range(n):
        level = 0 if at < 8 else 1 if at < 40 else 2
        parent = None if level == 0 else at % 8 if level == 1 else 8 + at % 32
        x, y = random.random(2) * 100
        name = "word " * int(random.integers(1, 6))
        made.append(topic(at, x, y, level=level, parent=parent, name=name, radius=float(8 / 3**level)))
    return made


def shown(labels: list[Label], k: float) -> list[Label]:
    return [
        label
        for label in labels
        if label.k0 is not None and label.k0 <= k and (label.k1 is None or k < label.k1)
    ]


@pytest.mark.parametrize("k", ZOOMS)
@pytest.mark.parametrize("seed", range(4))
def test_no_two_boxes_meet_at_any_zoom(k: float, seed: int) -> None:
    for a, b in combinations(shown(make_labels(crowd(seed=seed), FRAME), k), 2):
        apart_x = abs(a.x - b.x) * 1024 * k >= (a.w + b.w) / 2
        apart_y = abs(a.y - b.y) * 1024 * k >= (a.h + b.h) / 2
        assert apart_x or apart_y


def test_more_labels_appear_as_one_comes_nearer() -> None:
    labels = make_labels(crowd(), FRAME)
    far, near = (len(shown(labels, k)) for k in (0.5, 8))
    assert 1 <= far < near


def test_the_largest_coarse_topic_is_always_shown_from_afar() -> None:
    label = make_labels(crowd(), FRAME)[0]
    assert label.k0 == 0


def test_a_coarse_label_gives_way_once_its_region_is_wider_than_a_screen() -> None:
    topics = [topic(0, 50, 50, radius=20.0), *(topic(i, 50 + i, 50, level=1, parent=0) for i in (1, 2))]
    labels = make_labels(topics, FRAME)
    assert labels[0].k1 == pytest.approx(3000 / 1024 / 0.8, abs=1e-3)
    assert labels[1].k1 is None


def test_an_only_child_leaves_the_label_to_its_mother() -> None:
    mother, child = make_labels([topic(0, 50, 50), topic(1, 60, 50, level=1, parent=0)], FRAME)
    assert mother.k1 is None
    assert child.k0 is None


def test_two_topics_on_one_spot_show_only_the_larger() -> None:
    large, small = make_labels([topic(0, 50, 50), topic(1, 50, 50)], FRAME)
    assert large.k0 == 0
    assert small.k0 is None


def test_wide_letters_get_wide_boxes_and_no_box_is_endless() -> None:
    latin, chinese, endless = make_labels(
        [topic(0, 1, 1, name="abcd"), topic(1, 50, 50, name="苹果苹果"), topic(2, 90, 90, name="x" * 500)],
        FRAME,
    )
    assert chinese.w > 1.4 * latin.w
    assert endless.w == 260


def test_the_file_holds_rows_and_ordinals_of_the_representatives(tmp_path: Path) -> None:
    labels = make_labels([topic(0, 25, 75, name="äpfel"), topic(1, 50, 50, level=1, parent=0)], FRAME)
    write_labels(labels, tmp_path, np.array([7, 3], np.uint32), np.array([100, 200]))
    content = json.loads((tmp_path / "labels.json").read_text())
    assert content["levels"] == 2
    first = content["topics"][0]
    assert first == {
        "id": 0, "level": 0, "parent": None, "name": "äpfel", "x": 0.25, "y": 0.75, "w": labels[0].w, "h": 22,
        "k0": 0, "k1": None, "count": 100, "row": 100, "ordinal": 7,
    }  # fmt: skip
    assert content["topics"][1]["k0"] is None


def test_a_map_without_topics_has_a_file_without_topics(tmp_path: Path) -> None:
    write_labels(make_labels([], FRAME), tmp_path, np.zeros(0, np.uint32))
    assert json.loads((tmp_path / "labels.json").read_text()) == {"levels": 0, "topics": []}
