"""`python -m atlas.warm`: compile what projections and searches need, once when Atlas is set up.

numba keeps the machine code beside the sources. Without it the first map of a fresh machine waits 20 seconds
longer, and the first search one.
"""

import numpy as np

from atlas.maps.projection import project
from atlas.search.scan import cosines

if __name__ == "__main__":
    vectors = np.random.default_rng(0).standard_normal((300, 8)).astype(np.float32)
    project(vectors)
    stored = vectors.astype(np.float16)
    stored.flags.writeable = False  # as a matrix file is opened
    cosines(stored, vectors[:1])
