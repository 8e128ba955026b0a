"""Where the points of a tile lie on another map of the same records: so one map can turn into the other."""

import struct
from pathlib import Path
from uuid import UUID

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe
from numpy.typing import NDArray

from atlas.maps.access import visible_version
from atlas.maps.files import IMMUTABLE
from atlas.maps.models import MapVersion
from atlas.maps.places import NOWHERE, mapped
from atlas.teams.asker import asker_of

#: A position counts steps of 1 / STEPS of the world; MISSING: the record is not on the other map.
STEPS = 65534
MISSING = 65535


@require_safe
def tile_from(
    request: HttpRequest, map_id: UUID, version_id: UUID, other_id: UUID, z: int, x: int, y: int
) -> HttpResponse:
    if max(z, x, y) >= 2**16:  # a longer number would be no name of a file
        raise Http404
    version = visible_version(asker_of(request), map_id, version_id)
    other = get_object_or_404(MapVersion, pk=other_id, map__dataset=version.map.dataset_id)
    try:
        places = places_on(other.folder, version.folder, f"{z}-{x}-{y}")
    except FileNotFoundError:
        raise Http404 from None
    response = HttpResponse(places.tobytes(), content_type="application/octet-stream")
    response["Cache-Control"] = IMMUTABLE
    return response


def places_on(other: Path, version: Path, tile: str) -> NDArray[np.uint16]:
    """(count, 2) steps x, y of a tile's points on another version. Raises FileNotFoundError: no such tile."""
    with (version / "t" / f"{tile}.atm").open("rb") as file:
        _, count, start = struct.unpack("<4sII", file.read(12))
    rows = mapped(version / "rows.bin", "<u4")[start : start + count]
    there = np.full((count, 2), MISSING, "<u2")
    if (other / "points.bin").stat().st_size == 0:  # an empty file cannot be mapped into memory
        return there
    ordinal_of = mapped(other / "ordinals.bin", "<u4")
    ordinals = np.where(rows < len(ordinal_of), ordinal_of[np.minimum(rows, len(ordinal_of) - 1)], NOWHERE)
    known = ordinals != NOWHERE
    points = mapped(other / "points.bin", "<f4").reshape(-1, 2)
    there[known] = np.rint(points[ordinals[known]] * STEPS)
    return there
