"""Topics over JSON: as they are called now, and renaming them; `atlas/api/README.md` has the examples."""

from typing import Annotated, Any
from uuid import UUID

from django.http import Http404, HttpRequest
from ninja import Field, Router, Schema
from pydantic import AfterValidator

from atlas.datasets.access import editable_dataset
from atlas.datasets.permit import permit
from atlas.maps.access import reading, visible_version
from atlas.maps.models import Topic
from atlas.maps.renaming import labels_now, rename_topic
from atlas.teams.asker import asker_of
from atlas.text import one_line

router = Router(tags=["maps"])


class RenameIn(Schema):
    name: Annotated[str, Field(max_length=80), AfterValidator(one_line)]
    version: UUID | None = None


class RenamedOut(Schema):
    id: int
    name: str


class LabelOut(Schema):
    """A topic and its name's box: see FORMAT.md."""

    id: int
    level: int
    parent: int | None
    name: str
    x: float
    y: float
    w: int
    h: int
    k0: float | None
    k1: float | None
    count: int
    row: int
    ordinal: int


class LabelsOut(Schema):
    levels: int
    topics: list[LabelOut]


@router.get("/maps/{uuid:map_id}/topics", response=LabelsOut)
def list_topics(request: HttpRequest, map_id: UUID, version: UUID | None = None) -> dict[str, Any]:
    asker = asker_of(request)
    shown = visible_version(asker, map_id, version)
    words = permit(asker, shown.map.dataset_id).sees_captions
    with reading(shown.pk):
        return labels_now(shown, words=words)


@router.patch("/maps/{uuid:map_id}/topics/{int:topic}", response=RenamedOut)
def change_topic(request: HttpRequest, map_id: UUID, topic: int, body: RenameIn) -> dict[str, Any]:
    asker = asker_of(request)
    version = visible_version(asker, map_id, body.version)
    editable_dataset(asker, version.map.dataset_id)
    try:
        renamed = rename_topic(version, topic, body.name, asker)
    except Topic.DoesNotExist:
        raise Http404(f"There is no topic {topic} on this map.") from None
    return {"id": topic, "name": str(renamed)}
