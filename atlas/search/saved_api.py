"""Saved searches over JSON."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from ninja import Router, Status
from ninja.errors import HttpError

from atlas.datasets.access import commentable_dataset, visible_dataset
from atlas.datasets.api import signed_in
from atlas.datasets.permit import permit
from atlas.maps.saved import NameIn, listed_for, require_room
from atlas.search.models import SavedSearch
from atlas.search.schemas import SearchesOut, SearchIn, SearchOut
from atlas.teams.asker import asker_of

router = Router(tags=["search"])


@router.get("/datasets/{uuid:dataset_id}/searches", response=SearchesOut)
def list_searches(request: HttpRequest, dataset_id: UUID) -> dict[str, Any]:
    """The asker's own and those that others of the dataset share."""
    asker = asker_of(request)
    dataset = visible_dataset(asker, dataset_id)
    searches = SavedSearch.objects.filter(listed_for(asker), dataset=dataset)
    return {"searches": searches.select_related("created_by")}


@router.post("/datasets/{uuid:dataset_id}/searches", response={201: SearchOut})
def create_search(request: HttpRequest, dataset_id: UUID, body: SearchIn) -> Status[SavedSearch]:
    asker, user = asker_of(request), signed_in(request)
    dataset = commentable_dataset(asker, dataset_id)
    require_room(SavedSearch.objects.filter(dataset=dataset), user, "searches", shared=body.shared)
    made = SavedSearch.objects.create(dataset=dataset, created_by=user, **body.dict())
    return Status(201, made)


@router.patch("/datasets/{uuid:dataset_id}/searches/{uuid:search_id}", response=SearchOut)
def rename_search(request: HttpRequest, dataset_id: UUID, search_id: UUID, body: NameIn) -> SavedSearch:
    search = _changeable(request, dataset_id, search_id)
    SavedSearch.objects.filter(pk=search.pk).update(name=body.name)
    search.name = body.name
    return search


@router.delete("/datasets/{uuid:dataset_id}/searches/{uuid:search_id}", response={204: None})
def delete_search(request: HttpRequest, dataset_id: UUID, search_id: UUID) -> Status[None]:
    _changeable(request, dataset_id, search_id).delete()
    return Status(204, None)


def _changeable(request: HttpRequest, dataset_id: UUID, search_id: UUID) -> SavedSearch:
    """One's own also where one may only look by now. Raises Http404, HttpError 401 and 409, KeyScopeError."""
    asker = asker_of(request)
    signed_in(request)
    asker.require_write()
    dataset = visible_dataset(asker, dataset_id)
    searches = SavedSearch.objects.select_related("created_by")
    search = searches.filter(pk=search_id, dataset=dataset).first()
    mine = search is not None and asker.made(search.created_by_id)
    if search is None or not (mine or search.shared):
        raise Http404("There is no such search.")
    if not (mine or permit(asker, dataset_id).may_edit):
        raise HttpError(
            409, "Only its maker, or an editor of the dataset, can rename or remove a shared search."
        )
    return search
