"""The map page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from atlas.datasets.models import Dataset
from atlas.maps.progress import published_maps
from atlas.teams.asker import asker_of


@require_safe
def map_page(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """Its script reads the config; without a published map the page says how far the build is."""
    visible = Dataset.objects.visible_to(asker_of(request)).select_related("team")
    dataset = get_object_or_404(visible, team__slug=team, slug=slug)
    maps = published_maps(dataset.pk)
    config = {
        "dataset": {
            "id": str(dataset.pk),
            "name": dataset.name,
            "url": dataset.get_absolute_url(),
            "row_count": dataset.row_count,
            "columns": dataset.columns,
            "may_edit": Dataset.objects.editable_by(asker_of(request)).filter(pk=dataset.pk).exists(),
        },
        "maps": maps,
    }
    return render(request, "maps/map.html", {"dataset": dataset, "maps": maps, "config": config})
