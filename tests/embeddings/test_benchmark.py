"""The benchmark's own arithmetic, on contenders that cost nothing."""

import io
import time

import numpy as np
from PIL import Image

from embeddings import benchmark
from embeddings.benchmark import Contender, compete, peak_gflops, report


def test_contenders_take_turns_and_the_first_round_is_not_counted() -> None:
    turns: list[str] = []

    def contender(name: str, angle: float) -> Contender:
        def embed() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
            turns.append(name)
            time.sleep(0.1 if name == "slow" else 0.001)
            return np.array([[np.cos(angle), np.sin(angle)]] * 4, np.float32)

        return Contender(name, embed)

    slow, fast = contender("slow", 0), contender("fast", np.pi / 3)
    compete([slow, fast], rounds=3)
    assert turns == ["slow", "fast"] * 4
    assert len(slow.seconds) == len(fast.cpu) == 3
    table = report([slow, fast], 0, 4, "things", gflop=0.5, peak=1000)
    name, _, ratio, _, cosine, _, share = table.splitlines()[3].split()
    assert name == "fast"
    assert float(ratio) > 1.5
    assert cosine == "0.500000"
    assert share.endswith("%")


def test_the_photos_are_like_photographs() -> None:
    first, second = benchmark._photo(1), benchmark._photo(2)
    assert first != second
    assert 30_000 < len(first) < 300_000
    assert Image.open(io.BytesIO(first)).size == (640, 480)


def test_the_captions_are_mixed() -> None:
    lengths = [len(text.split()) for text in benchmark._captions(200)]
    assert min(lengths) < 8
    assert max(lengths) > 150
    assert np.median(lengths) < 20


def test_it_measures_the_machine() -> None:
    assert 1 < peak_gflops() < 100_000
