"""Looking maps up for whoever asks: what may not be seen does not exist."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.http import Http404

from atlas.datasets.models import Dataset
from atlas.maps.models import DataMap, MapVersion
from atlas.teams.asker import Asker


class WithdrawnError(Http404):
    """A version went while it was read, with its files: it is as if it had been asked for a moment later."""

    def __init__(self) -> None:
        super().__init__("A newer map took the place of this one just now: ask again.")


@contextmanager
def reading(version_id: UUID) -> Iterator[None]:
    """While files of a version are read. Raises WithdrawnError where it went meanwhile: of one that is kept
    a file that is missing is a fault."""
    try:
        yield
    except FileNotFoundError:
        if MapVersion.objects.filter(pk=version_id).exists():
            raise
        raise WithdrawnError from None


def visible_version(asker: Asker, map_id: UUID, version_id: UUID | None = None) -> MapVersion:
    """That version, or the one that is shown now, with its map. Raises Http404."""
    maps = DataMap.objects.filter(pk=map_id, dataset__in=Dataset.objects.visible_to(asker))
    versions = MapVersion.objects.select_related("map", "build").filter(map__in=maps)
    wanted = versions.filter(pk=version_id) if version_id else versions.filter(pk__in=maps.values("current"))
    version = wanted.first()
    if version is None:
        raise Http404("There is no such map.")
    return version
