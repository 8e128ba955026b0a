"""The map page, and the same without its frame for other sites."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from atlas import csp
from atlas.datasets.models import Dataset, Visibility
from atlas.datasets.permit import permit
from atlas.maps.models import MapVersion
from atlas.maps.preview import preview_of
from atlas.maps.progress import published_maps
from atlas.teams.asker import Asker, asker_of


@require_safe
def map_page(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """Its script reads the config; without a published map the page says how far the build is."""
    asker = asker_of(request)
    visible = Dataset.objects.visible_to(asker).select_related("team")
    dataset = get_object_or_404(visible, team__slug=team, slug=slug)
    return render(request, "maps/map.html", _context(asker, dataset))


@xframe_options_exempt
@require_safe
def embed_page(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """The explorer alone, in a frame of the sites that the owners allow.

    Of public datasets only: a browser keeps our cookies from a frame on another site, so nobody is signed in
    there and no share link was opened.
    """
    public = Dataset.objects.visible_to(Asker(AnonymousUser())).select_related("team")
    dataset = get_object_or_404(public, team__slug=team, slug=slug)
    response = render(request, "maps/embed.html", _context(Asker(AnonymousUser()), dataset, embedded=True))
    response[csp.HEADER] = csp.policy(dataset.embed_hosts)
    return response


@require_safe
def preview_image(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """What other sites show beside a link to a public dataset."""
    # The names of topics are drawn on it, which come from captions.
    readable = Dataset.objects.with_captions_for(asker_of(request))
    dataset = get_object_or_404(readable, team__slug=team, slug=slug)
    shown = next(iter(published_maps(dataset.pk)), None)
    if shown is None:
        raise Http404
    version = MapVersion.objects.select_related("map").get(pk=shown["version"])
    response = HttpResponse(preview_of(version), "image/png")
    response["Cache-Control"] = (
        f"{'public' if dataset.visibility == Visibility.PUBLIC else 'private'}, max-age=3600"
    )
    return response


def _context(asker: Asker, dataset: Dataset, *, embedded: bool = False) -> dict[str, Any]:
    maps = published_maps(dataset.pk)
    allowed = permit(asker, dataset.pk)
    shared_first = next((link.start_view for link in asker.links if link.dataset_id == dataset.pk), "")
    config = {
        "dataset": {
            "id": str(dataset.pk),
            "name": dataset.name,
            "description": dataset.description,
            "team": dataset.team.name,
            "url": dataset.get_absolute_url(),
            "slug": dataset.slug,
            "visibility": dataset.visibility,
            "record_count": dataset.record_count,
            "row_count": dataset.row_count,
            "columns": dataset.columns,
            "may_edit": allowed.may_edit,
            "may_tag": allowed.may_tag,
            "may_comment": allowed.may_comment,
            "may_share": allowed.may_share,
            "hide_originals": not allowed.sees_originals,
            "hide_captions": not allowed.sees_captions,
            "share_url": reverse("datasets:sharing", args=[dataset.team.slug, dataset.slug])
            if allowed.may_share
            else None,
        },
        "maps": maps,
        "embedded": embedded,
        "signed_in": asker.user.is_authenticated,
        "search_urls": settings.ATLAS_SEARCH_URLS,
        #: What to show when the address names no view; "" = the whole map.
        "start": shared_first,
    }
    return {
        "dataset": dataset,
        "maps": maps,
        "config": config,
        "may_share": allowed.may_share,
    }
