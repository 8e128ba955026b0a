"""`python -m atlas.maps.warm`: compile what a projection needs, once when Atlas is set up.

numba keeps the machine code beside the sources. Without it the first map of a fresh machine waits 20 seconds
longer.
"""

import numpy as np

from atlas.maps.projection import project

if __name__ == "__main__":
    project(np.random.default_rng(0).standard_normal((300, 8)).astype(np.float32))
