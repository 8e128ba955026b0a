"""How much of the machine is ours."""

import os


def cores() -> int:
    """The processor cores this process may use."""
    return len(os.sched_getaffinity(0))
