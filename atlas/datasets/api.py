"""Datasets, imports and records over JSON; `atlas/api/README.md` has the examples."""

from typing import Annotated, Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query, Router, Status
from ninja.errors import HttpError

from atlas.datasets import delete, imports
from atlas.datasets.access import (
    datasets_for,
    editable_dataset,
    import_of,
    owned_dataset,
    record_of,
    team_for,
    uploads_of,
    visible_dataset,
    whole_dataset,
)
from atlas.datasets.activity import record_event
from atlas.datasets.change import change_dataset
from atlas.datasets.files import original_response, thumbnail_response
from atlas.datasets.models import Dataset, Import, Record, Visibility
from atlas.datasets.permit import permit
from atlas.datasets.report import report_csv, report_page
from atlas.datasets.schemas import (
    DatasetChange,
    DatasetIn,
    DatasetOut,
    DatasetsOut,
    ImportOut,
    ImportsOut,
    RecordOut,
    RecordsOut,
    SkippedPage,
    StartIn,
    UploadsIn,
)
from atlas.datasets.telling import tell_visibility
from atlas.teams.asker import asker_of
from atlas.teams.audit import record_audit
from atlas.teams.models import AuditVerb, Role, User

router = Router(tags=["datasets"])

MOST_RECORDS = 500


@router.get("", response=DatasetsOut)
def list_datasets(
    request: HttpRequest,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    datasets = datasets_for(asker_of(request))
    page = datasets.prefetch_related("imports")[offset : offset + limit]
    return {"datasets": list(page), "total": datasets.count()}


@router.post("", response={201: DatasetOut})
def create_dataset(request: HttpRequest, body: DatasetIn) -> Status[Dataset]:
    user = signed_in(request)
    asker, at_least = asker_of(request), Role.EDITOR
    if body.visibility != Visibility.PRIVATE:  # only owners share
        asker.require_person()
        at_least = Role.OWNER
    dataset = imports.create_dataset(
        team_for(asker, body.team, at_least),
        body.name,
        user,
        uploads_of(asker, body.uploads),
        description=body.description,
        visibility=body.visibility,
    )
    record_event(dataset, "uploaded", user, f"uploaded {dataset.imports.get().file_names}")
    if body.visibility != Visibility.PRIVATE:
        tell_visibility(request, dataset)
    return Status(201, visible_dataset(asker, dataset.pk))


@router.get("/{uuid:dataset_id}", response=DatasetOut)
def get_dataset(request: HttpRequest, dataset_id: UUID) -> Dataset:
    return visible_dataset(asker_of(request), dataset_id)


@router.patch("/{uuid:dataset_id}", response=DatasetOut)
def patch_dataset(request: HttpRequest, dataset_id: UUID, body: DatasetChange) -> Dataset:
    lookup = editable_dataset if body.visibility is None else owned_dataset
    dataset = lookup(asker_of(request), dataset_id)
    before = dataset.name
    change_dataset(dataset, **body.dict(exclude_unset=True))
    if dataset.name != before:
        record_event(dataset, "renamed", asker_of(request), f"renamed it to {dataset.name}")
    if body.visibility is not None:
        tell_visibility(request, dataset)
    return dataset


@router.delete("/{uuid:dataset_id}", response={202: None})
def delete_dataset(request: HttpRequest, dataset_id: UUID) -> Status[None]:
    dataset = owned_dataset(asker_of(request), dataset_id)
    delete.delete_dataset(dataset)
    record_audit(request, AuditVerb.DATASET_DELETED, f"“{dataset}”", team=dataset.team)
    return Status(202, None)


@router.get("/{uuid:dataset_id}/imports", response=ImportsOut)
def list_imports(request: HttpRequest, dataset_id: UUID) -> dict[str, Any]:
    return {"imports": list(whole_dataset(asker_of(request), dataset_id).imports.all())}


@router.post("/{uuid:dataset_id}/imports", response={201: ImportOut})
def create_import(request: HttpRequest, dataset_id: UUID, body: UploadsIn) -> Status[Import]:
    asker = asker_of(request)
    dataset = editable_dataset(asker, dataset_id)
    return Status(201, imports.append(dataset, signed_in(request), uploads_of(asker, body.uploads)))


@router.get("/{uuid:dataset_id}/imports/{uuid:import_id}", response=ImportOut)
def get_import(request: HttpRequest, dataset_id: UUID, import_id: UUID) -> Import:
    return import_of(whole_dataset(asker_of(request), dataset_id), import_id)


@router.post("/{uuid:dataset_id}/imports/{uuid:import_id}/start", response=ImportOut)
def start_import(request: HttpRequest, dataset_id: UUID, import_id: UUID, body: StartIn) -> Import:
    job = import_of(editable_dataset(asker_of(request), dataset_id), import_id)
    imports.start_import(job, body.choices.dict(exclude_unset=True))
    return job


@router.post("/{uuid:dataset_id}/imports/{uuid:import_id}/cancel", response=ImportOut)
def cancel_import(request: HttpRequest, dataset_id: UUID, import_id: UUID) -> Import:
    job = import_of(editable_dataset(asker_of(request), dataset_id), import_id)
    imports.cancel_import(job)
    return job


@router.post("/{uuid:dataset_id}/imports/{uuid:import_id}/retry", response=ImportOut)
def retry_import(request: HttpRequest, dataset_id: UUID, import_id: UUID) -> Import:
    job = import_of(editable_dataset(asker_of(request), dataset_id), import_id)
    imports.retry_import(job)
    return job


@router.post("/{uuid:dataset_id}/imports/{uuid:import_id}/review", response=ImportOut)
def review_import(request: HttpRequest, dataset_id: UUID, import_id: UUID) -> Import:
    job = import_of(editable_dataset(asker_of(request), dataset_id), import_id)
    imports.review_import(job)
    return job


@router.get("/{uuid:dataset_id}/imports/{uuid:import_id}/skipped", response=SkippedPage)
def list_skipped(
    request: HttpRequest,
    dataset_id: UUID,
    import_id: UUID,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    job = import_of(whole_dataset(asker_of(request), dataset_id), import_id)
    items, following = report_page(job, after, limit)
    return {"items": items, "next": following, "total": job.skipped_items.count()}


@router.get("/{uuid:dataset_id}/imports/{uuid:import_id}/report.csv", url_name="report")
def download_report(request: HttpRequest, dataset_id: UUID, import_id: UUID) -> StreamingHttpResponse:
    dataset = whole_dataset(asker_of(request), dataset_id)
    response = StreamingHttpResponse(
        report_csv(import_of(dataset, import_id)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{dataset.slug}-report.csv"'
    return response


@router.get("/{uuid:dataset_id}/records", response=RecordsOut)
def list_records(request: HttpRequest, dataset_id: UUID, rows: str) -> dict[str, Any]:
    dataset = visible_dataset(asker_of(request), dataset_id)
    wanted = numbers_in(rows, "rows")
    found = {record.row: record for record in Record.objects.filter(dataset=dataset, row__in=wanted)}
    return {"records": [found[row] for row in wanted if row in found]}


@router.get("/{uuid:dataset_id}/records/{int:row}", response=RecordOut)
def get_record(request: HttpRequest, dataset_id: UUID, row: int) -> Record:
    return record_of(visible_dataset(asker_of(request), dataset_id), row)


@router.get("/{uuid:dataset_id}/records/{int:row}/thumbnail", url_name="record_thumbnail")
def get_thumbnail(request: HttpRequest, dataset_id: UUID, row: int) -> HttpResponse:
    return thumbnail_response(record_of(visible_dataset(asker_of(request), dataset_id), row))


@router.get("/{uuid:dataset_id}/records/{int:row}/original", url_name="record_original")
def get_original(request: HttpRequest, dataset_id: UUID, row: int) -> StreamingHttpResponse:
    record = record_of(visible_dataset(asker_of(request), dataset_id), row)
    if not permit(asker_of(request), dataset_id).sees_originals:
        raise Http404("The pictures of this dataset can be seen, not downloaded.")
    return original_response(record)


def signed_in(request: HttpRequest) -> User:
    """Who changes something, by an API key too. Raises HttpError 401, KeyScopeError."""
    asker_of(request).require_write()
    if not request.user.is_authenticated:
        raise HttpError(401, "Sign in first.")
    return request.user


def numbers_in(text: str, what: str) -> list[int]:
    """ "12,3,99" as numbers, each once, in the order given. Raises HttpError 422 that says of what."""
    parts = list(dict.fromkeys(text.split(",")))
    if len(parts) > MOST_RECORDS:
        raise HttpError(422, f"At most {MOST_RECORDS} {what} can be asked for at a time.")
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
        raise HttpError(422, f"`{what}` must be numbers separated by commas.")
    return [int(part) for part in parts]
