"""What the neighbours of a record tell of it: by the formulas written out, and of planted faults."""

import numpy as np
import pytest

from atlas.maps.around import LEAST_KNOWN, label_of, outlierness, places_of, strangers
from atlas.maps.codes import Column
from atlas.maps.kept import NOBODY
from atlas.maps.projection import nearest
from atlas.maps.work import Cancelled

CLASSES, EACH = 5, 60
COUNT = CLASSES * EACH


def clouds(seed: int = 0) -> np.ndarray:
    """(300, 16) a cloud for each class, 60 after 60."""
    random = np.random.default_rng(seed)
    middles = np.repeat(random.normal(size=(CLASSES, 16)), EACH, axis=0)
    return (middles + random.normal(scale=0.25, size=middles.shape)).astype(np.float32)


def places_in(vectors: np.ndarray) -> np.ndarray:
    return nearest(vectors).indices[:, 1:]


def words(wrong: dict[int, str] | None = None) -> list[str | None]:
    return [(wrong or {}).get(row, f"class {row // EACH}") for row in range(COUNT)]


def labelled(values: list[str | None], places: np.ndarray) -> np.ndarray:
    column = Column.category("label", values)
    return strangers(column.codes, np.iinfo(column.codes.dtype).max, places)


def go_on() -> None:
    pass


def test_records_far_from_all_others_come_first() -> None:
    vectors = clouds()
    planted = [7, 130, 288]
    vectors[planted] = np.random.default_rng(1).normal(scale=3, size=(3, 16))

    lists = nearest(vectors)
    found = outlierness(lists.distances[:, 1:], lists.indices[:, 1:])

    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    distances = np.sort(1 - unit @ unit.T, axis=1)[:, 1:15]
    np.testing.assert_allclose(found, distances.mean(axis=1), atol=1e-5)
    assert sorted(np.argsort(-found)[:3].tolist()) == planted


def test_whoever_has_few_neighbours_is_judged_by_them_and_who_has_none_is_not() -> None:
    places = np.array([[1, 2], [0, -1], [-1, -1]], np.int32)
    distances = np.array([[0.2, 0.4], [0.2, 0.9], [np.inf, np.inf]], np.float32)
    np.testing.assert_allclose(outlierness(distances, places), [0.3, 0.2, np.nan])
    np.testing.assert_array_equal(labelled(["a", "a", "a"], places), np.array([0, 0, np.nan], np.float32))


def test_wrong_labels_are_among_strangers() -> None:
    random = np.random.default_rng(2)
    rows = random.choice(COUNT, 30, replace=False)
    wrong = {int(row): f"class {(row // EACH + random.integers(1, CLASSES)) % CLASSES}" for row in rows}

    found = labelled(words(wrong), places_in(clouds()))

    assert found[list(wrong)].min() > 0.8
    assert found[list(wrong)].min() > np.delete(found, list(wrong)).max()


def test_a_class_of_few_is_not_taken_for_wrong() -> None:
    """Three of one kind have only each other, and all the other neighbours are strangers."""
    vectors = clouds()
    few = [10, 11, 12]
    vectors[few] = np.random.default_rng(3).normal(size=16) + np.eye(16)[:3] * 0.1
    values = words(dict.fromkeys(few, "rare") | {100: "alone", 101: None})  # type: ignore[arg-type]

    found = labelled(values, places_in(vectors))

    assert found[few].tolist() == [0, 0, 0]
    assert np.isnan(found[[100, 101]]).all()  # nobody else has the label; it has none
    assert found[102] < 0.3  # whoever has no label is no stranger


def test_it_is_what_the_formula_says() -> None:
    random = np.random.default_rng(4)
    places = places_in(clouds(5))
    values = [None if random.random() < 0.2 else f"{random.integers(40)}" for _ in range(COUNT)]

    found = labelled(values, places)

    for row, value in enumerate(values):
        others = [values[other] for other in places[row].tolist() if values[other] is not None]
        others = others[: values.count(value) - 1]
        if value is None or not others:
            assert np.isnan(found[row])
        else:
            assert found[row] == pytest.approx(sum(other != value for other in others) / len(others))


def test_the_label_is_the_column_that_the_vectors_know() -> None:
    random = np.random.default_rng(6)
    places = places_in(clouds())
    split = Column.category("split", [random.choice(["train", "test"]) for _ in range(COUNT)])
    same = Column.category("same", ["one"] * COUNT)
    unlike = Column.category("file", [f"{row}.png" for row in range(COUNT)])
    label = Column.category("label", words())
    noisy = Column.category("noisy", words(dict.fromkeys(range(60, COUNT, 5), "class 0")))
    number = Column.number("number", np.arange(COUNT, dtype=float))

    found = label_of([split, same, unlike, number, noisy, label], places, go_on)

    assert found is not None
    assert found[0] == "label"
    assert label_of([split, same, unlike, number], places, go_on) is None
    assert label_of([], places, go_on) is None
    assert 0 < LEAST_KNOWN < 1


def test_it_stops_when_it_is_told_to() -> None:
    def stop() -> None:
        raise Cancelled

    places = places_in(clouds())
    with pytest.raises(Cancelled):
        label_of([Column.category("label", words())], places, stop)


def test_rows_that_are_not_on_the_map_are_nobody() -> None:
    lists = np.array([[9, 4, NOBODY], [5, 2, 9]], np.uint32)
    assert places_of(lists, np.array([2, 9], np.uint32)).tolist() == [[1, -1, -1], [-1, 0, 1]]
    assert places_of(np.empty((0, 14), np.uint32), np.empty(0, np.uint32)).shape == (0, 14)
