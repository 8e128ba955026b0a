"""How `pytest -n 2` shares the tests out among its workers: by file; each worker has services of its own.

What takes longest goes first, so that no worker is left alone with it in the end. Some files stay together:
those of the browser share one running system, one browser and one dataset; those of faults share a system
that is killed again and again, which nobody else may look at meanwhile.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "tests/browser/": "browser",
    "tests/datasets/test_faults.py": "faults",
    "tests/services/test_faults.py": "faults",
    "tests/services/test_up.py": "faults",
}
#: Of the rest, what takes longest.
EARLY = ("tests/maps/test_faults.py", "tests/test_matrix.py", "tests/maps/test_build.py")


def share_of(nodeid: str) -> str:
    """The name of the share that a test belongs to: its tests run one after another, in one worker."""
    file = nodeid.partition("::")[0]
    return next((share for start, share in TOGETHER.items() if file.startswith(start)), file)


def longest_first(items: list[pytest.Item]) -> None:
    """Puts the tests into the order in which their shares are taken; inside a share they keep theirs."""
    order = [*dict.fromkeys(TOGETHER.values()), *EARLY]
    ranks = {share: rank for rank, share in enumerate(order)}
    items.sort(key=lambda item: ranks.get(share_of(item.nodeid), len(order)))


class Shares(LoadScopeScheduling):  # type: ignore[misc]  # xdist carries no types
    """Hands the shares out in the order of the tests."""

    def __init__(self, config: pytest.Config, log: Producer | None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # the one with the most tests would come first

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)
