"""From vectors to a map: the odd inputs, the same bytes, progress, cancel, newcomers and the joint space."""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import count, pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.maps.projection import BadVectorError, Projection, joint, normalise, place, project
from atlas.maps.work import Cancelled

Floats = npt.NDArray[np.float32]


def clustered(n: int, d: int = 16, clusters: int = 4, seed: int = 0) -> tuple[Floats, npt.NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((clusters, d)) * 3
    label = np.arange(n) % clusters
    return (centres[label] + 0.5 * random.standard_normal((n, d))).astype(np.float32), label


def bytes_of(projection: Projection) -> bytes:
    parts = (projection.coordinates, projection.neighbours, projection.distances, projection.trust)
    return b"".join(part.tobytes() for part in parts)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 15, 16, 40])
def test_it_lays_out_few_vectors(n: int) -> None:
    vectors, _ = clustered(n)
    projection = project(vectors)
    assert projection.coordinates.shape == (n, 2)
    assert projection.coordinates.dtype == np.float32
    assert projection.neighbours.shape == projection.distances.shape == (n, min(15, n))
    assert np.isfinite(projection.coordinates).all()
    assert ((projection.trust >= 0) & (projection.trust <= 1)).all()
    assert len(np.unique(projection.coordinates, axis=0)) == n


def test_clusters_stay_together_on_the_map() -> None:
    vectors, label = clustered(400)
    at = project(vectors).coordinates
    distances = np.linalg.norm(at[:, None] - at[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (label[distances.argmin(axis=1)] == label).all()


@pytest.mark.parametrize(
    "vectors", [np.ones((50, 8), np.float32), np.zeros((50, 8), np.float32), np.ones((30, 1), np.float32)]
)
def test_identical_or_empty_vectors_give_a_finite_map(vectors: Floats) -> None:
    projection = project(vectors)
    assert np.isfinite(projection.coordinates).all()
    assert np.isfinite(projection.distances).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_vector_that_is_not_finite_is_named(bad: float) -> None:
    vectors, _ = clustered(9000)
    vectors[8765, 3] = bad
    with pytest.raises(BadVectorError, match="row 8765") as caught:
        project(vectors)
    assert caught.value.row == 8765


def test_huge_and_tiny_vectors_are_scaled_not_overflowed() -> None:
    unit = normalise(np.array([[3e38, 3e38], [1e-38, 0], [0, 0]], np.float32))
    np.testing.assert_allclose(unit, [[0.5**0.5, 0.5**0.5], [1, 0], [0, 0]], atol=1e-6)


def test_half_precision_memory_maps_are_read(tmp_path) -> None:  # type: ignore[no-untyped-def]
    vectors, _ = clustered(120)
    stored = np.memmap(tmp_path / "vectors", np.float16, "w+", shape=vectors.shape)
    stored[:] = vectors
    assert project(stored).coordinates.tobytes() == project(vectors.astype(np.float16)).coordinates.tobytes()


def test_the_same_seed_gives_the_same_bytes_on_one_and_two_threads() -> None:
    vectors, _ = clustered(1300)
    one = bytes_of(project(vectors, seed=5, threads=1))
    assert one == bytes_of(project(vectors, seed=5, threads=2))
    assert one != bytes_of(project(vectors, seed=6, threads=2))


def test_islands_without_a_path_between_them_are_all_on_the_map() -> None:
    random = np.random.default_rng(0)
    vectors = np.zeros((90, 9), np.float32)
    for island in range(3):  # at right angles to each other
        vectors[island * 30 : island * 30 + 30, island * 3 : island * 3 + 3] = 1 + 0.1 * random.random(
            (30, 3)
        )
    at = project(vectors).coordinates
    middles = at.reshape(3, 30, 2).mean(axis=1)
    spread = np.linalg.norm(at.reshape(3, 30, 2) - middles[:, None], axis=2).mean()
    apart = min(np.linalg.norm(middles[a] - middles[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert apart > 2 * spread


def test_progress_names_the_stages_and_reaches_their_ends() -> None:
    said: list[tuple[str, int, int]] = []
    project(clustered(300)[0], progress=lambda stage, done, total: said.append((stage, done, total)))
    ends = [stage for stage, done, total in said if done == total]
    assert ends == ["neighbours", "layout", "trust"]
    assert all(0 <= done <= total for _, done, total in said)


def test_cancel_ends_it_at_once() -> None:
    asked = count()
    with pytest.raises(Cancelled):
        project(clustered(600)[0], cancelled=lambda: next(asked) == 2)
    assert next(asked) == 3


@pytest.mark.parametrize("exact_up_to", [16_000, 100])
def test_no_piece_between_two_chances_to_cancel_is_long(
    exact_up_to: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas.maps.neighbours.EXACT_MAX", exact_up_to)
    monkeypatch.setattr("atlas.maps.work.REPORT_SECONDS", 0)
    vectors, _ = clustered(6000, d=64)
    project(vectors[:200])  # compiled
    # In processor time: other programs may keep it waiting.
    asked = [time.process_time()]

    def go_on() -> bool:
        asked.append(time.process_time())
        return False

    project(vectors, cancelled=go_on)
    longest = max(later - earlier for earlier, later in pairwise(asked))
    assert longest < (asked[-1] - asked[0]) / 3  # a seventh, when nothing else runs


def test_trust_is_high_where_the_map_is_right_and_low_where_it_is_not() -> None:
    from atlas.maps.neighbour_lists import Neighbours
    from atlas.maps.neighbours import exact
    from atlas.maps.trust import trust
    from atlas.maps.work import Work

    random = np.random.default_rng(0)
    angle = np.sort(random.random(200)) * 6
    unit = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    with Work() as work:
        others = exact(unit, 14, work)
        near = Neighbours(
            np.hstack([np.arange(200, dtype=np.int32)[:, None], others.indices]),
            np.hstack([np.zeros((200, 1), np.float32), others.distances]),
        )
        true_map = np.stack([angle, 0 * angle], axis=1).astype(np.float32)
        assert trust(unit, true_map, near, work).mean() > 0.99
        assert trust(unit, random.permutation(true_map), near, work).mean() < 0.4


def test_newcomers_land_in_their_cluster_and_nobody_moves() -> None:
    vectors, label = clustered(400)
    new, new_label = clustered(40, seed=7)
    at = project(vectors).coordinates
    before = at.copy()
    placed = place(new, vectors, at)
    assert (at == before).all()
    nearest = np.linalg.norm(at[None] - placed.coordinates[:, None], axis=2).argmin(axis=1)
    assert (label[nearest] == new_label).all()
    assert placed.neighbours.shape == (40, 15)
    assert placed.trust.shape == (40,)


def test_newcomers_that_are_alike_get_places_of_their_own_among_their_neighbours() -> None:
    """In one burst, and each in an append of its own."""
    vectors, _ = clustered(400)
    at = project(vectors).coordinates
    alike = vectors[7] + 1e-4 * np.random.default_rng(0).standard_normal((50, 16)).astype(np.float32)
    burst = place(alike, vectors, at)
    assert len(np.unique(burst.coordinates, axis=0)) == 50
    around = at[burst.neighbours[0]]
    assert (burst.coordinates >= around.min(axis=0)).all()
    assert (burst.coordinates <= around.max(axis=0)).all()
    first = place(alike[:1], vectors, at).coordinates
    second = place(alike[:1], np.vstack([vectors, alike[:1]]), np.vstack([at, first])).coordinates
    assert (first != second).any()


def test_newcomers_are_trusted_as_far_as_their_surroundings_are_like_them() -> None:
    vectors, _ = clustered(300, seed=5)
    at = project(vectors).coordinates
    same = place(vectors[:40], vectors, at).trust
    shuffled = np.random.default_rng(0).permutation(at)
    assert same.mean() > 0.9
    assert place(vectors[:40], vectors, shuffled).trust.mean() < 0.4
    assert (place(vectors[:5], vectors[:3], at[:3]).trust > 0.99).all()  # all that there is


def test_newcomers_of_an_empty_upload_are_none() -> None:
    vectors, _ = clustered(20)
    placed = place(vectors[:0], vectors, np.zeros((20, 2), np.float32))
    assert placed.coordinates.shape == (0, 2)


def test_a_map_of_one_point_takes_newcomers() -> None:
    placed = place(np.ones((2, 3), np.float32), np.ones((1, 3), np.float32), np.array([[4, 5]], np.float32))
    assert placed.coordinates.tolist() == [[4, 5], [4, 5]]


def test_joint_vectors_mix_records_with_only_a_picture_and_only_a_caption() -> None:
    """Share of the other modality among neighbours: on the map nearly what it is among all records."""
    meaning = normalise(clustered(600, d=16, clusters=20)[0])
    gap = np.zeros(16, np.float32)
    gap[0] = 1  # pictures here, texts there: the cosine of a picture and its own caption is about 0
    images, captions = meaning + gap, meaning - gap
    only_image = np.random.default_rng(2).random(600) < 0.5
    vectors = joint(images, captions, only_image, ~only_image)
    raw = np.where(only_image[:, None], images, captions)

    def other_modality(projected: Projection) -> float:
        at = projected.coordinates
        near = np.linalg.norm(at[:, None] - at[None], axis=2).argsort(axis=1)[:, 1:16]
        return float((only_image[near] != only_image[:, None]).mean())

    assert other_modality(project(raw)) < 0.05
    assert other_modality(project(vectors)) > 0.4  # .5 among all records


def test_joint_vectors_have_length_one_or_zero() -> None:
    vectors, _ = clustered(10)
    has_image, has_caption = np.arange(10) < 6, np.arange(10) % 2 == 0
    lengths = np.linalg.norm(joint(vectors, vectors[::-1], has_image, has_caption), axis=1)
    expected = (has_image | has_caption).astype(np.float32)
    np.testing.assert_allclose(lengths, expected, atol=1e-5)


@pytest.mark.parametrize("rounded", [False, True])
def test_a_caption_that_all_share_does_not_part_them_from_those_without(rounded: bool) -> None:
    """Such as "Untitled". By the pictures alone the neighbours are mixed, and so they stay."""
    n = 2000
    images = clustered(n, d=32, clusters=40)[0]
    has_caption = np.random.default_rng(3).random(n) < 0.5
    captions = np.zeros_like(images)
    captions[has_caption] = np.random.default_rng(4).standard_normal(32)
    if rounded:  # as by other shapes of batches
        captions = normalise(captions).astype(np.float16)
        captions[np.flatnonzero(has_caption)[::7], 5] += np.float16(1e-4)
    vectors = joint(images, captions, has_caption=has_caption)
    near = (vectors @ vectors.T).argsort(axis=1)[:, -15:-1]
    assert (has_caption[near] != has_caption[:, None]).mean() > 0.4  # .5 among all


def test_joint_vectors_of_some_rows_are_those_of_all() -> None:
    """In parts as at once: the middle is that of all records."""
    vectors, _ = clustered(5000)
    random = np.random.default_rng(1)
    has_image, has_caption = random.random((2, 5000)) < 0.6
    captions = random.permutation(vectors)
    rows = np.flatnonzero(has_image | has_caption)
    whole = joint(vectors, captions, has_image, has_caption)
    np.testing.assert_array_equal(joint(vectors, captions, has_image, has_caption, rows=rows), whole[rows])
    total = np.zeros_like(vectors)
    for each, there in ((vectors, has_image), (captions, has_caption)):
        unit = normalise(each[there])
        total[there] += normalise(unit - unit.mean(axis=0))
    np.testing.assert_allclose(whole, normalise(total), atol=1e-4)


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """How many bytes numpy has held at the most since the test began to ask."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def test_the_joint_map_takes_the_memory_of_its_vectors(peak: Callable[[], int]) -> None:
    images = np.random.default_rng(0).standard_normal((40_000, 64)).astype(np.float16)
    tracemalloc.reset_peak()
    before = peak()
    vectors = joint(images, images[::-1])
    assert peak() - before < 1.5 * vectors.nbytes


def test_newcomers_take_the_memory_of_the_old_vectors(peak: Callable[[], int]) -> None:
    old = np.random.default_rng(0).standard_normal((40_000, 64)).astype(np.float32)
    at = np.zeros((39_999, 2), np.float32)
    tracemalloc.reset_peak()
    before = peak()
    place(old[:3], old, at, old_rows=np.arange(1, 40_000))
    assert peak() - before < 1.5 * old.nbytes


def test_joint_vectors_of_unlike_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="same shape"):
        joint(np.ones((3, 4), np.float32), np.ones((3, 5), np.float32))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 5), st.floats(0, 1e30))
def test_any_finite_vectors_give_finite_maps(n: int, d: int, seed: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    vectors = (random.integers(-1, 2, (n, d)) * scale).astype(np.float32)
    projection = project(vectors, seed=seed)
    assert np.isfinite(projection.coordinates).all()
    assert (projection.neighbours >= 0).all()


def test_the_start_keeps_more_of_the_order_at_large_than_two_components_do() -> None:
    from atlas.maps.start import begin
    from atlas.maps.work import Work

    random = np.random.default_rng(0)
    centres = random.standard_normal((12, 8)).astype(np.float32)
    sketch = centres[random.integers(0, 12, 1500)] + 0.1 * random.standard_normal((1500, 8), np.float32)
    sketch = (sketch - sketch.mean(axis=0)) @ np.linalg.svd(sketch - sketch.mean(axis=0))[2].T
    a, b, c = random.integers(0, 1500, (3, 20_000))

    def order(points: Floats) -> npt.NDArray[np.bool_]:
        nearer: npt.NDArray[np.bool_] = np.linalg.norm(points[a] - points[b], axis=1) < np.linalg.norm(
            points[a] - points[c], axis=1
        )
        return nearer

    with Work(threads=2) as work:
        start = begin(sketch, work, 0)
    kept, flat = ((order(sketch) == order(points)).mean() for points in (start, sketch[:, :2]))
    assert kept > flat + 0.01
    assert start.min() > -0.01
    assert start.max() < 10.01
