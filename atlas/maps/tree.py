"""The quadtree of a map's tiles, compiled by numba."""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def assign(codes, visit, capacity, deepest):  # type: ignore[no-untyped-def]
    """Place points (sorted by Morton code; `visit` lists them by rank) into a tree, then renumber it breadth
    first.

    Returns each point's tile, and the tiles' counts and children masks.
    """
    n = len(codes)
    room = max(16, 8 * (n // capacity + 1) + 64 * deepest)
    kids = np.full((room, 4), -1, np.int64)
    held = np.zeros(room, np.int64)
    used = 1 if n else 0
    home = np.zeros(n, np.int64)
    for point in visit:
        at = 0
        z = 0
        while held[at] >= capacity and z < deepest:
            quarter = np.int64((codes[point] >> np.uint64(62 - 2 * z)) & np.uint64(3))
            if kids[at, quarter] < 0:
                if used == room:
                    more = np.full((room, 4), -1, np.int64)
                    kids = np.concatenate((kids, more))
                    held = np.concatenate((held, np.zeros(room, np.int64)))
                    room *= 2
                kids[at, quarter] = used
                used += 1
            at = kids[at, quarter]
            z += 1
        held[at] += 1
        home[point] = at
    queue = np.zeros(used, np.int64)
    number = np.zeros(used, np.int64)
    masks = np.zeros(used, np.uint8)
    tail = 1 if used else 0
    for head in range(used):
        tile = queue[head]
        number[tile] = head
        for q in range(4):
            if kids[tile, q] >= 0:
                masks[head] |= np.uint8(1 << q)
                queue[tail] = kids[tile, q]
                tail += 1
    for point in range(n):
        home[point] = number[home[point]]
    return home, held[queue], masks
