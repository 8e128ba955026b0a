"""`python -m atlas.warm`: compile what projections and searches need, once when Atlas is set up.

numba keeps the machine code beside the sources. Without it the first map of a fresh machine waits 20 seconds
longer, the first one of many records some more, and the first search one.
"""

import numpy as np

from atlas.maps.descent import descend
from atlas.maps.projection import normalise, place, project
from atlas.maps.tiles import CAPACITY, DEEPEST
from atlas.maps.tree import assign
from atlas.maps.work import Work
from atlas.search.scan import cosines

if __name__ == "__main__":
    vectors = np.random.default_rng(0).standard_normal((300, 8)).astype(np.float32)
    placed = project(vectors)
    place(vectors[:9], vectors, placed.coordinates)
    with Work() as work:  # what `project` does with many
        descend(normalise(vectors), vectors, 14, work, seed=0)
    assign(np.zeros(1, np.uint64), np.zeros(1, np.int64), CAPACITY, DEEPEST)
    stored = vectors.astype(np.float16)
    stored.flags.writeable = False  # as a matrix file is opened
    cosines(stored, vectors[:1])
