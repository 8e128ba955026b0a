"""Threads that work ahead of their consumer, a bounded number of steps."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def single_core_threads(count: int) -> ThreadPoolExecutor:
    """A pool in which every torch operation keeps to its own thread, so that `count` batches run side by
    side.

    One batch a core beats one operation split over the cores: no thread waits for another at the end of
    each of 500 operations, which costs most when the machine has other work.
    """
    ready = threading.Barrier(count + 1)

    def start() -> None:
        torch.get_num_threads()  # makes the thread take the process's number now, not over ours later
        torch.set_num_threads(1)
        ready.wait()

    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, thread_name_prefix="tower", initializer=start)
    for _ in range(count):
        pool.submit(lambda: None)
    ready.wait()
    torch.set_num_threads(before)  # the setting is per thread in OpenMP but per process in MKL
    return pool


def in_order(
    pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """`work` of every item in the pool's threads, results in the order of the items, at most `ahead` at once.

    An exception of `work` or of `items` comes out here; what has not begun by then is dropped.
    """
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
