"""What a topic is. `topics.py` finds them with scipy, which takes longer to load than all of Django: whoever
only shows or renames them does without.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Topic:
    """A named region. `row` counts the points as they were given; x, y, radius are in projection units."""

    id: int
    level: int  # 0 is the coarsest
    parent: int | None  # id of a topic one level up
    name: str
    x: float  # the point of the topic nearest to its middle
    y: float
    radius: float  # median distance of its points from there
    count: int
    row: int  # its most representative record


@dataclass(frozen=True)
class Topics:
    """All topics, coarse ones first, and the topic of every point at every level."""

    topics: list[Topic]  # by id; ids are missing of those that a removal left no point
    ids: npt.NDArray[np.int32]  # (levels, N); -1 = in none, at the finest level only
