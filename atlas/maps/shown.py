"""To which version a build appends: asked by each of its steps, and answered the same to all."""

import numpy as np
from numpy.typing import NDArray

from atlas.maps.kept import Points
from atlas.maps.models import Build, DataMap, MapVersion

#: A layout takes in newcomers until it holds so many times what it was made of: beyond that they would be
#: crowded on the places of a few, under topics of a few.
GROWTH = 2


def shown_version(build: Build, space: str, rows: NDArray[np.uint32]) -> MapVersion | None:
    """The version to which this build appends; None where the points of all `rows` are laid out anew."""
    if not build.append:
        return None
    shown = DataMap.objects.select_related("current__map").get(dataset=build.dataset_id, space=space).current
    if shown is None:
        return None
    old = Points.load(shown.folder)
    laid_out = np.count_nonzero(~old.placed & np.isin(old.rows, rows, assume_unique=True))
    return shown if 0 < len(rows) <= GROWTH * laid_out else None
