"""The same picture saved again, and how its copies become one group."""

import io
import random
import threading
import time
from collections.abc import Mapping
from itertools import pairwise
from string import ascii_lowercase

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from atlas.maps import duplicates
from atlas.maps.duplicates import NO_PAIRS, distinct, groups, near_pairs, same_pictures
from atlas.maps.work import unheard

ROWS = np.arange(6, dtype=np.uint32)


def picture(*, hand: str = "tan", scale: float = 1, quality: int = 80) -> bytes:
    """A figure with a hand of some colour, as a thumbnail."""
    drawn = Image.new("RGB", (240, 180), "white")
    pen = ImageDraw.Draw(drawn)
    pen.ellipse((70, 20, 170, 160), "navy")
    pen.rectangle((20, 90, 60, 120), hand)
    small = drawn.resize((round(240 * scale), round(180 * scale)))
    file = io.BytesIO()
    small.save(file, "WEBP", quality=quality)
    return file.getvalue()


def page(words: int, *, lines: int = 45, scale: float = 1, quality: int = 80) -> bytes:
    """A page of running text as a thumbnail: of the same `words`, once it was saved as a JPEG of that scale
    and quality."""
    choose = random.Random(words)
    drawn = Image.new("RGB", (1240, 1754), "white")
    pen, font = ImageDraw.Draw(drawn), ImageFont.load_default(22)
    for line in range(lines):
        text = " ".join("".join(choose.choices(ascii_lowercase, k=choose.randint(2, 9))) for _ in range(13))
        pen.text((120, 120 + line * 1500 / lines), text, fill="black", font=font)
    file = io.BytesIO()
    drawn.resize((round(1240 * scale), round(1754 * scale))).save(file, "JPEG", quality=quality)
    thumbnail = Image.open(file)
    thumbnail.thumbnail((256, 256))
    thumbnail.save(file := io.BytesIO(), "WEBP", quality=80)
    return file.getvalue()


def same(thumbnails: Mapping[int, bytes | None]) -> list[list[int]]:
    rows = sorted(thumbnails)
    pairs = np.array([(a, b) for a in rows for b in rows if a < b], np.uint32)
    found: list[list[int]] = same_pictures(pairs, lambda row: thumbnails[row], unheard).tolist()
    return found


def test_a_picture_in_another_size_and_quality_is_the_same() -> None:
    assert same({3: picture(), 8: picture(scale=0.5), 9: picture(quality=30)}) == [[3, 8], [3, 9], [8, 9]]


def test_pairs_are_compared_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "BLOCK", 2)
    monkeypatch.setattr(duplicates, "DETAIL_BLOCK", 2)
    pictures = {3: picture(), 8: picture(scale=0.5), 9: picture(hand="saddlebrown"), 11: picture(quality=30)}
    assert same(pictures) == [[3, 8], [3, 11], [8, 11]]


@pytest.mark.parametrize("damaged", [b"", b"nonsense", picture()[:200]])
def test_a_damaged_thumbnail_is_like_nothing(damaged: bytes) -> None:
    assert same({0: picture(), 1: damaged, 2: damaged, 3: picture(scale=0.5)}) == [[0, 3]]


def test_a_hand_of_another_colour_makes_another_picture() -> None:
    assert same({0: picture(), 1: picture(hand="saddlebrown")}) == []


@pytest.mark.parametrize("lines", [3, 30, 45, 70])
def test_pages_of_other_words_are_other_pictures_and_one_saved_again_is_the_same(lines: int) -> None:
    pages = {0: page(1, lines=lines), 1: page(2, lines=lines), 2: page(3, lines=lines)}
    again = {3: page(1, lines=lines, scale=0.5, quality=30), 4: page(1, lines=lines, scale=0.1)}

    assert same({**pages, **again}) == [[0, 3], [0, 4], [3, 4]]


def test_a_picture_whose_thumbnail_is_gone_is_no_copy() -> None:
    assert same({0: picture(), 1: None}) == []


def test_only_near_neighbours_are_looked_at() -> None:
    rows = np.array([4, 7, 9], np.uint32)
    indices = np.array([[0, 1], [1, 0], [2, 0]])
    distances = np.array([[0, 0.01], [0, 0.01], [0, 0.3]], np.float32)

    assert near_pairs(rows, rows, indices, distances).tolist() == [[4, 7]]
    assert near_pairs(rows, rows, indices[:0], distances[:0]).tolist() == []


@pytest.mark.parametrize("count", [0, 1, 2, 5000])
def test_each_pair_is_kept_once_and_in_order(count: int) -> None:
    random = np.random.default_rng(count)
    pairs = random.choice(np.array([0, 1, 70_000, 2**31, 2**32 - 1], np.uint32), (count, 2))
    found = distinct(pairs)
    assert found.dtype == np.uint32
    assert found.tolist() == np.unique(pairs, axis=0).tolist()


def test_a_build_gives_signs_of_life_while_it_sorts_many_pairs() -> None:
    """In processor time: other programs may keep it waiting."""
    pairs = np.random.default_rng(0).integers(0, 2**20, (1_000_000, 2), np.uint32)
    turns: list[float] = []
    done = threading.Event()

    def live() -> None:
        while not done.wait(0.001):
            turns.append(time.process_time())

    began = time.process_time()
    np.unique(pairs, axis=0)
    held = time.process_time() - began
    heartbeat = threading.Thread(target=live)
    heartbeat.start()
    turns.append(time.process_time())
    distinct(pairs)
    turns.append(time.process_time())
    done.set()
    heartbeat.join()
    assert max(later - earlier for earlier, later in pairwise(turns)) < held / 3


def test_a_chain_of_pairs_is_one_group_and_its_largest_picture_the_original() -> None:
    pairs = np.array([[0, 3], [3, 5]], np.uint32)
    original, alike = groups(ROWS, pairs, list("abcdef"), np.array([1, 1, 1, 4, 1, 4]))

    assert original.tolist() == [3, 1, 2, 3, 4, 3]
    assert alike.tolist() == [3, 1, 1, 3, 1, 3]


def test_the_same_bytes_are_one_group_without_a_pair() -> None:
    rows = np.array([2, 5, 8, 9], np.uint32)
    original, alike = groups(rows, NO_PAIRS, ["x", "y", "x", "x"], np.array([7, 7, 7, 7]))

    assert original.tolist() == [2, 5, 2, 2]
    assert alike.tolist() == [3, 1, 3, 3]


def test_pairs_of_rows_that_are_not_there_are_passed_over() -> None:
    original, _ = groups(ROWS[:2], np.array([[0, 5]], np.uint32), ["a", "b"], np.ones(2, int))
    assert original.tolist() == [0, 1]


def test_no_records_have_no_groups() -> None:
    original, alike = groups(ROWS[:0], NO_PAIRS, [], np.zeros(0, int))
    assert (len(original), len(alike)) == (0, 0)
