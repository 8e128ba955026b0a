"""Looking maps up for whoever asks: what may not be seen does not exist."""

from uuid import UUID

from django.http import Http404

from atlas.datasets.models import Dataset
from atlas.maps.models import DataMap, MapVersion
from atlas.teams.asker import Asker


def visible_version(asker: Asker, map_id: UUID, version_id: UUID | None = None) -> MapVersion:
    """That version, or the one that is shown now, with its map. Raises Http404."""
    maps = DataMap.objects.filter(pk=map_id, dataset__in=Dataset.objects.visible_to(asker))
    versions = MapVersion.objects.select_related("map", "build").filter(map__in=maps)
    wanted = versions.filter(pk=version_id) if version_id else versions.filter(pk__in=maps.values("current"))
    version = wanted.first()
    if version is None:
        raise Http404("There is no such map.")
    return version
