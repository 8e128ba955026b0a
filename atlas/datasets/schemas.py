"""Datasets, imports and records as JSON."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.urls import reverse
from ninja import Field, Schema
from pydantic import AfterValidator

from atlas.datasets.models import Dataset, Import, ImportState, Record, Visibility
from atlas.datasets.permit import Permit, permit
from atlas.teams.asker import asker_of
from atlas.text import one_line, storable
from embeddings.readers import ColumnType


class TeamOut(Schema):
    slug: str
    name: str


class ColumnOut(Schema):
    name: str
    type: ColumnType


class FileOut(Schema):
    filename: str
    size: int


class ImportSummary(Schema):
    id: UUID
    dataset: UUID = Field(alias="dataset_id")
    state: ImportState
    #: The first ten of them.
    files: list[FileOut]
    file_count: int
    size: int
    read: int
    imported: int
    skipped: int
    total: int | None
    rate: float | None
    seconds_left: int | None
    error: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ImportOut(ImportSummary):
    description: dict[str, Any] | None
    choices: dict[str, Any]

    @staticmethod
    def resolve_description(job: Import) -> dict[str, Any] | None:
        return job.description or None


class ImportsOut(Schema):
    imports: list[ImportSummary]


class DatasetOut(Schema):
    id: UUID
    team: TeamOut
    slug: str
    name: str
    description: str
    visibility: Visibility
    model: str
    #: The records that there are.
    record_count: int
    #: Rows are 0 … row_count - 1: records ever imported, those that were removed among them.
    row_count: int
    url: str = Field(alias="get_absolute_url")
    may_edit: bool
    may_comment: bool
    may_tag: bool
    may_share: bool
    columns: list[ColumnOut]
    created_at: datetime
    latest_import: ImportSummary | None

    @staticmethod
    def resolve_latest_import(dataset: Dataset, context: dict[str, Any]) -> Import | None:
        """It names files: not for who does not see all."""
        asker = asker_of(context["request"])
        if asker.links and not permit(asker, dataset.pk).sees_all:  # only links hide something
            return None
        return next(reversed(dataset.imports.all()), None)


class DatasetsOut(Schema):
    datasets: list[DatasetOut]
    #: With those of other pages.
    total: int


Text = Annotated[str, AfterValidator(storable)]


class DatasetIn(Schema):
    name: Text = Field("", max_length=120)
    uploads: list[UUID] = Field(min_length=1, max_length=100_000)
    team: Text | None = None
    description: Text = Field("", max_length=10_000)
    visibility: Visibility = Visibility.PRIVATE


class DatasetChange(Schema):
    name: Annotated[Text, Field(max_length=120), AfterValidator(one_line)] | None = None
    description: Text | None = Field(None, max_length=10_000)
    visibility: Visibility | None = None


class UploadsIn(Schema):
    uploads: list[UUID] = Field(min_length=1, max_length=100_000)


class ChoicesIn(Schema):
    """Corrections to a description: null keeps the suggestion, "" or [] means: no such column."""

    picture: Text | None = None
    captions: list[Text] | None = None
    id: Text | None = None
    vector: Text | None = None
    types: dict[Text, ColumnType] = Field(default_factory=dict)
    leave_out: list[Text] = Field(default_factory=list)


class StartIn(Schema):
    choices: ChoicesIn = ChoicesIn()


class SkippedOut(Schema):
    id: int
    #: The record that the line is about; null where the item did not become one.
    row: int | None
    source: str
    reason: str
    detail: str


class SkippedPage(Schema):
    items: list[SkippedOut]
    next: int | None
    total: int


class ImageOut(Schema):
    width: int
    height: int
    format: str
    size: int
    thumbnail: str
    #: Null where a share link withholds it.
    original: str | None


class RecordOut(Schema):
    """A record as the asker may see it: of hidden captions and originals nothing is left."""

    row: int
    key: str | None
    source: str
    caption: str
    captions: list[str]
    values: dict[str, Any]
    image: ImageOut | None

    @staticmethod
    def resolve_caption(record: Record, context: dict[str, Any]) -> str:
        return record.caption if _permit(record, context).sees_captions else ""

    @staticmethod
    def resolve_captions(record: Record, context: dict[str, Any]) -> list[str]:
        return record.captions if _permit(record, context).sees_captions else []

    @staticmethod
    def resolve_image(record: Record, context: dict[str, Any]) -> dict[str, Any] | None:
        if record.sha256 is None:
            return None
        place = [record.dataset_id, record.row]
        whole = _permit(record, context).sees_originals
        return {
            "width": record.width,
            "height": record.height,
            "format": record.format,
            "size": record.size,
            "thumbnail": reverse("api:record_thumbnail", args=place),
            "original": reverse("api:record_original", args=place) if whole else None,
        }


def _permit(record: Record, context: dict[str, Any]) -> Permit:
    return permit(asker_of(context["request"]), record.dataset_id)


class RecordsOut(Schema):
    records: list[RecordOut]
