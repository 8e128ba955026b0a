"""Tags over JSON, put on whatever a filter finds; `atlas/api/README.md` has the examples."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import numpy as np
from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema, Status
from pydantic import AfterValidator, model_validator

from atlas.datasets import tags
from atlas.datasets.access import record_of, taggable_dataset, visible_dataset
from atlas.datasets.activity import record_event, records
from atlas.datasets.models import Dataset, Tag, TaggedRecord
from atlas.maps.access import reading, visible_version
from atlas.maps.selection import rows_matching
from atlas.maps.selection_api import check_words, count_selection
from atlas.teams.asker import asker_of
from atlas.text import one_line

router = Router(tags=["tags"])


Name = Annotated[str, Field(max_length=60), AfterValidator(one_line)]


class TagIn(Schema):
    name: Name


class TagChange(Schema):
    name: Name | None = None
    colour: Annotated[int, Field(ge=0, lt=tags.COLOURS)] | None = None


class TagOut(Schema):
    id: UUID
    name: str
    colour: int
    count: int
    created_by: str | None
    created_at: datetime
    mine: bool

    @staticmethod
    def resolve_mine(tag: Tag, context: dict[str, Any]) -> bool:
        return asker_of(context["request"]).made(tag.created_by_id)

    @staticmethod
    def resolve_created_by(tag: Tag) -> str | None:
        return str(tag.created_by) if tag.created_by else None


class TagsOut(Schema):
    tags: list[TagOut]


class TagRecordsIn(Schema):
    """Exactly one of the two filters."""

    add: dict[str, Any] | None = None
    remove: dict[str, Any] | None = None

    @model_validator(mode="after")
    def says_one_thing(self) -> "TagRecordsIn":
        if (self.add is None) == (self.remove is None):
            raise ValueError("Say either which records to add or which to remove.")
        return self


class TaggedOut(Schema):
    changed: int
    count: int


@router.get("/datasets/{uuid:dataset_id}/tags", response=TagsOut)
def list_tags(request: HttpRequest, dataset_id: UUID) -> dict[str, Any]:
    return {"tags": tags.tags_of(visible_dataset(asker_of(request), dataset_id))}


@router.post("/datasets/{uuid:dataset_id}/tags", response={201: TagOut})
def create_tag(request: HttpRequest, dataset_id: UUID, body: TagIn) -> Status[Tag]:
    asker = asker_of(request)
    dataset = taggable_dataset(asker, dataset_id)
    return Status(201, tags.create_tag(dataset, body.name, asker))


@router.patch("/datasets/{uuid:dataset_id}/tags/{uuid:tag_id}", response=TagOut)
def change_tag(request: HttpRequest, dataset_id: UUID, tag_id: UUID, body: TagChange) -> Tag:
    asker = asker_of(request)
    tag = tags.tag_of(taggable_dataset(asker, dataset_id), tag_id)
    tags.change_tag(tag, asker, name=body.name, colour=body.colour)
    return tag


@router.delete("/datasets/{uuid:dataset_id}/tags/{uuid:tag_id}", response={204: None})
def delete_tag(request: HttpRequest, dataset_id: UUID, tag_id: UUID) -> Status[None]:
    asker = asker_of(request)
    dataset = taggable_dataset(asker, dataset_id)
    tag = tags.tag_of(dataset, tag_id)
    tags.delete_tag(tag, asker)
    record_event(dataset, "deleted", asker, f"deleted the tag {tag.name}")
    return Status(204, None)


@router.post("/datasets/{uuid:dataset_id}/tags/{uuid:tag_id}/records", response=TaggedOut)
def tag_records(request: HttpRequest, dataset_id: UUID, tag_id: UUID, body: TagRecordsIn) -> dict[str, int]:
    count_selection(request)
    asker = asker_of(request)
    dataset = taggable_dataset(asker, dataset_id)
    tag = tags.tag_of(dataset, tag_id)
    content = body.remove if body.add is None else body.add
    check_words(asker, dataset_id, content)
    mask = rows_matching(dataset, content, dataset.row_count)
    changed = tags.remove_tag(tag, mask) if body.add is None else tags.add_tag(tag, mask, asker)
    if changed:
        done, word = ("took", "off") if body.add is None else ("put", "on")
        record_event(dataset, "tagged", asker, f"{done} the tag {tag.name} {word} {records(changed)}")
    return {"changed": changed, "count": tag.tagged.count()}


@router.get("/datasets/{uuid:dataset_id}/records/{int:row}/tags", response=TagsOut)
def list_tags_of_record(request: HttpRequest, dataset_id: UUID, row: int) -> dict[str, Any]:
    dataset = visible_dataset(asker_of(request), dataset_id)
    on_it = TaggedRecord.objects.filter(row=record_of(dataset, row).row, tag__dataset=dataset).values("tag")
    return {"tags": tags.tags_of(dataset).filter(pk__in=on_it)}


@router.get("/maps/{uuid:map_id}/tags.bin", include_in_schema=False)
def tags_of_points(request: HttpRequest, map_id: UUID, version: UUID | None = None) -> HttpResponse:
    """A byte for each ordinal: the place of its tag in the list of tags, 254 = several, 255 = none."""
    shown = visible_version(asker_of(request), map_id, version)
    with reading(shown.pk):
        rows = np.fromfile(shown.folder / "rows.bin", "<u4")
    dataset: Dataset = shown.map.dataset
    codes = tags.tag_codes(dataset, int(rows.max(initial=0)) + 1)[rows]
    response = HttpResponse(codes.tobytes(), content_type="application/octet-stream")
    response["Cache-Control"] = "no-store"
    return response
