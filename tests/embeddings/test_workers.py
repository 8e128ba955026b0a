"""Working ahead: in order, bounded, and one thread an operation."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from embeddings.workers import in_order, single_core_threads


def test_results_come_in_the_order_of_the_items() -> None:
    def work(item: int) -> int:
        time.sleep(0.002 * (item % 3))
        return item * item

    with ThreadPoolExecutor(4) as pool:
        assert list(in_order(pool, work, range(40), ahead=8)) == [item * item for item in range(40)]


def test_no_more_is_under_way_than_asked_for() -> None:
    drawn = 0

    def items() -> Iterator[int]:
        nonlocal drawn
        for item in range(100):
            drawn += 1
            yield item

    with ThreadPoolExecutor(2) as pool:
        results = in_order(pool, lambda item: item, items(), ahead=5)
        assert next(results) == 0
        assert drawn == 5
        results.close()  # type: ignore[attr-defined]


def test_a_failure_comes_out_and_what_has_not_begun_is_dropped() -> None:
    begun: list[int] = []
    gate = threading.Event()

    def work(item: int) -> None:
        begun.append(item)
        if item == 0:
            raise ValueError("zero")
        gate.wait(5)

    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(ValueError, match="zero"):
            list(in_order(pool, work, range(50), ahead=10))
        gate.set()
    assert len(begun) <= 2


def test_threads_keep_operations_to_themselves_and_leave_the_process_alone() -> None:
    before = torch.get_num_threads()
    pool = single_core_threads(2)
    assert pool.submit(torch.get_num_threads).result() == 1
    assert torch.get_num_threads() == before
    pool.shutdown()
