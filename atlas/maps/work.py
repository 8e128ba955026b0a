"""Long numeric work in short parts: progress, cancel, and threads that cannot change the result.

Kernels are compiled with `nogil` and own the rows they write, so Python threads run them side by side.
(Numba's own threading is avoided: its layers abort the process after a fork, which Celery's workers are.)
Which thread runs a part never matters, because parts share nothing they write.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from threadpoolctl import threadpool_limits

from atlas.cores import cores

T = TypeVar("T")
R = TypeVar("R")
Progress = Callable[[str, int, int], None]  # stage, done, total
#: (done, total), called many times a second; it may raise, to stop the work.
Report = Callable[[int, int], None]

REPORT_SECONDS = 0.2


def unheard(_done: int, _total: int) -> None:
    """The report of work that nobody watches."""


def part_of(report: Report, first: int, share: int) -> Report:
    """The report of a part that fills a bar of 100 from `first` on, by `share`."""
    return lambda done, total: report(first + share * done // max(total, 1), 100)


class Cancelled(Exception):  # noqa: N818 - it is an outcome, not an error
    """The caller asked to stop."""


class Work:
    """Threads, progress and cancel for one run. A context manager; linear algebra stays on one thread inside.

    BLAS splits a product differently on other thread counts, which changes last bits: so every product here
    is single-threaded and the threads work on different products.
    """

    def __init__(
        self,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        threads: int | None = None,
    ) -> None:
        self.threads = threads or cores()
        self._progress = progress
        self._cancelled = cancelled
        self._said = 0.0
        self._last: tuple[str, int, int] | None = None

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="work")
        self._blas = threadpool_limits(limits=1, user_api="blas")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._blas.restore_original_limits()

    def say(self, stage: str, done: int, total: int) -> None:
        """Report progress, at most five times a second and always at the end. Raises `Cancelled`."""
        self._last = (stage, done, total)
        now = time.monotonic()
        if done < total and now - self._said < REPORT_SECONDS:
            return
        self._said = now
        if self._cancelled is not None and self._cancelled():
            raise Cancelled
        if self._progress is not None:
            self._progress(stage, done, total)

    def again(self) -> None:
        """Say the last thing once more: a sign of life, and a chance to cancel, inside a long step."""
        if self._last is not None:
            stage, done, total = self._last
            if done < total:
                self.say(stage, done, total)

    def each(self, items: Iterable[T], compute: Callable[[T], R], then: Callable[[T, R], None]) -> None:
        """Compute items on the threads, take the results in order in this one. Few are in flight at any
        time."""
        flying: deque[tuple[T, Future[R]]] = deque()
        for item in items:
            flying.append((item, self._pool.submit(compute, item)))
            if len(flying) > self.threads:
                first, future = flying.popleft()
                then(first, future.result())
        for first, future in flying:
            then(first, future.result())

    def over(self, n: int, part: int, function: Callable[..., None], *arguments: object) -> None:
        """Call `function(*arguments, start, stop)` for parts of range(n) that cover it, on the threads."""
        part = min(part, -(-n // self.threads))
        if part >= n:
            if n:
                function(*arguments, 0, n)
            return
        parts = [(start, min(start + part, n)) for start in range(0, n, part)]
        for future in [self._pool.submit(function, *arguments, *each) for each in parts]:
            future.result()
            self.again()
