"""The page that searches all datasets at once; its script asks `POST /api/search`."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from atlas.datasets.models import Dataset
from atlas.teams.asker import asker_of


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    mapped = Dataset.objects.visible_to(asker_of(request)).filter(maps__current__isnull=False)
    context = {"count": mapped.distinct().count(), "urls": settings.ATLAS_SEARCH_URLS}
    return render(request, "search/search.html", context)
